"""From where, and with which token, the work of this task was asked for; nothing for the worker's
own. Set once a request, read where events are written: every signature would carry it otherwise.
"""

from contextvars import ContextVar
from uuid import UUID

ADDRESS: ContextVar[str | None] = ContextVar("address", default=None)
TOKEN: ContextVar[UUID | None] = ContextVar("token", default=None)
