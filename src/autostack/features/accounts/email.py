"""E-mail addresses: what is one, and when two spellings are the same account."""

import unicodedata
from hashlib import sha256

from email_validator import EmailNotValidError, validate_email

LONGEST = 320
# The library refuses special-use domains by their last label; everything else it checks stays.
_SUFFIX = ".example.com"


def check(value: str) -> str:
    """The address as it is kept. Special-use domains (.test, .local) are fine: nothing is sent
    to find out.
    """
    plain = unicodedata.normalize("NFKC", value).strip()
    try:
        found = validate_email(plain + _SUFFIX, check_deliverability=False)
    except EmailNotValidError:
        # The library's own words may repeat what was sent.
        raise ValueError("this is not an e-mail address") from None
    return found.normalized.removesuffix(_SUFFIX)


def key(value: str) -> str:
    """One account, however it is written: compatibility forms, case and spaces do not count."""
    return unicodedata.normalize("NFKC", value).strip().casefold()


def digest(value: str) -> str:
    """Names an address without keeping it; also addresses nobody has an account for."""
    return sha256(key(value).encode()).hexdigest()
