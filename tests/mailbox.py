"""A real mail server on loopback that keeps what it was given."""

import re
import ssl
from asyncio.base_events import Server
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "autostack", "s3cret"


@dataclass
class Mailbox:
    """Letters in the order of their coming. `refuses` answers the next ones with that instead."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list[EmailMessage])
    recipients: list[list[str]] = field(default_factory=list[list[str]])
    refuses: str = ""

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.refuses:
            return self.refuses
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append(letter)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    def token(self) -> str:
        """What the link of the newest letter carries."""
        found = re.search(r"#token=(\S+)", self.text())
        assert found is not None, self.text()
        return found[1]

    def text(self) -> str:
        return str(self.letters[-1].get_content())


def _authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right)


class _OnAnyPort(Controller):
    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mailbox(*, context: ssl.SSLContext | None = None) -> Generator[Mailbox]:
    """With a context it wants STARTTLS and a sign-in, as providers do."""
    box = Mailbox()
    secured: dict[str, Any] = {}
    if context is not None:
        secured = {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": _authenticate,
        }
    controller = _OnAnyPort(box, hostname="127.0.0.1", port=0, enable_SMTPUTF8=True, **secured)
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()
