"""What is written to somebody who is invited. Pure."""

from autostack.core.mail import Letter

PAGE = "/dashboard/invitation"


def link(site: str, token: str) -> str:
    """The token stands behind `#`, which no server, log or other site gets to see."""
    return f"{site}{PAGE}#token={token}"


def invitation(to: str, *, site: str, team: str, role: str, token: str) -> Letter:
    text = f"""\
You are invited into the team {team!r} of the AutoStack platform at {site}, as {role}.

Accept it here within seven days, signed in with this address; the link is good once:

    {link(site, token)}

On a command line: `autostack teams accept` asks for this code:

    {token}

If you expect nothing of the kind, do nothing.
"""
    return Letter(to=to, subject="An invitation into a team", text=text)
