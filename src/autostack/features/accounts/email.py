"""E-mail addresses: what is one, and when two spellings are the same account."""

import unicodedata
from hashlib import sha256

from email_validator import EmailNotValidError, validate_email

LONGEST = 320


def check(value: str) -> str:
    """The address as it is kept. Special-use domains (.test, .local) are fine: nothing is sent
    to find out.
    """
    plain = unicodedata.normalize("NFKC", value).strip()
    try:
        found = validate_email(plain, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(_reason(error)) from None
    return found.normalized


def key(value: str) -> str:
    """One account, however it is written: compatibility forms, case and spaces do not count."""
    return unicodedata.normalize("NFKC", value).strip().casefold()


def digest(value: str) -> str:
    """Names an address without keeping it; also addresses nobody has an account for."""
    return sha256(key(value).encode()).hexdigest()


def _reason(error: EmailNotValidError) -> str:
    text = str(error)
    # The library sometimes repeats the address in its message.
    return text if '"' not in text and "'" not in text else "This is not an e-mail address."
