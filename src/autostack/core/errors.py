"""The kinds of failure AutoStack raises on purpose.

AutostackError
├── Invalid      422  the request makes no sense
├── Unauthorized 401  we do not know who you are
├── Forbidden    403  we know who you are, and you may not
├── NotFound     404  it does not exist, or it is not yours
├── Conflict     409  right request, wrong moment
├── TooLarge     413  more than we take
├── Locked       423  closed for a while
├── TooMany      429  slow down
└── Unavailable  503  something we depend on is down
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import ClassVar


class AutostackError(Exception):
    """Base of every error with a message meant for the user.

    The message says what happened; `hint` says what to do next. Neither ever holds a secret.
    """

    status: ClassVar[int] = 500
    hint: str = ""
    retry_after: timedelta | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    """What an answer says besides."""

    @property
    def code(self) -> str:
        """Stable machine name, made from the class name: `EnvironmentNotFound` →
        `environment_not_found`.
        """
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class Invalid(AutostackError):
    status = 422


class Unauthorized(AutostackError):
    status = 401


class Forbidden(AutostackError):
    status = 403


class NotFound(AutostackError):
    status = 404


class Conflict(AutostackError):
    status = 409


class TooLarge(AutostackError):
    status = 413


class Locked(AutostackError):
    status = 423


class TooMany(AutostackError):
    status = 429


class Unavailable(AutostackError):
    status = 503
