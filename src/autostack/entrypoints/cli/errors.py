"""How a command fails: two sentences on stderr and a code a script can read.

CliError        1  it did not work (a failed deployment, a refused request)
├── Usage       2  the command line makes no sense here
├── NotSignedIn 3  sign in first
├── Unreachable 4  the server does not answer
├── Missing     5  it does not exist, or it is not yours
└── Interrupted 130  Ctrl-C; what was asked for goes on
"""

from typing import ClassVar


class CliError(Exception):
    """Message and hint as they are shown."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "", *, code: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
        """The server's own name for it, such as `second_factor_needed`."""


class Usage(CliError):
    exit_code = 2


class NotSignedIn(CliError):
    exit_code = 3


class Unreachable(CliError):
    exit_code = 4


class Missing(CliError):
    exit_code = 5


class Interrupted(CliError):
    exit_code = 130
