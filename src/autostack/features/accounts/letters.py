"""What the platform writes to people. Pure; links carry their token behind `#`, which no server,
log or other site gets to see.
"""

from autostack.core.mail import Letter

RESET_PAGE = "/dashboard/reset-password"
CONFIRM_PAGE = "/dashboard/confirm-email"


def reset_link(site: str, token: str) -> str:
    return f"{site}{RESET_PAGE}#token={token}"


def reset(to: str, *, site: str, token: str) -> Letter:
    text = f"""\
Somebody, probably you, asked for a new password of your AutoStack account at {site}.

Set it here within an hour; the link is good once:

    {reset_link(site, token)}

On a command line: `autostack password reset --email {to}` asks for this code:

    {token}

If it was not you, do nothing: your password stays as it is.
"""
    return Letter(to=to, subject="Set a new password", text=text)


def confirmation(to: str, *, site: str, token: str) -> Letter:
    text = f"""\
This address shall become the one of an AutoStack account at {site}.

Confirm it here within an hour; the link is good once:

    {site}{CONFIRM_PAGE}#token={token}

If it was not you, do nothing, and nothing changes.
"""
    return Letter(to=to, subject="Confirm your address", text=text)


def taken(to: str, *, site: str) -> Letter:
    text = f"""\
Somebody wanted to give this address to another AutoStack account at {site}. It stays yours.

If it was you: sign in with this address, or ask for a new password of its account.
"""
    return Letter(to=to, subject="You already have an account", text=text)


def notice(to: str, *, site: str) -> Letter:
    text = f"""\
The address of your AutoStack account at {site} was changed, and this one is no longer it.

If it was not you, tell the administrator of that platform at once.
"""
    return Letter(to=to, subject="Your address was changed", text=text)
