"""Letters to people, through the mail server that the settings name."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from autostack.core.clock import Clock, utc_now
from autostack.core.errors import AutostackError

LIMIT = 20.0
"""Seconds for each answer of the mail server."""

Security = Literal["tls", "starttls", "none"]
_SCHEMES: dict[str, tuple[Security, int]] = {
    "smtps": ("tls", 465),
    "smtp": ("starttls", 587),
    "smtp+plain": ("none", 25),
}


class MailFailed(AutostackError):
    """Says why, but neither to whom nor what."""

    hint = "Check AUTOSTACK_SMTP_URL and the mail server's own log."

    def __init__(self, why: str) -> None:
        super().__init__(f"A letter could not be handed to the mail server: {why}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    to: str
    subject: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    host: str
    port: int
    security: Security
    username: str = ""
    password: str = field(default="", repr=False)


def parse(url: str) -> Server:
    """`smtp://user:password@host:587` (STARTTLS), `smtps://` (TLS), `smtp+plain://` (neither).

    ValueError says what is wrong without repeating the address, which holds a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"it must begin with {', '.join(f'{one}://' for one in _SCHEMES)}")
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("it must be smtp://user:password@host:port")
    security, port = _SCHEMES[parts.scheme]
    return Server(
        host=parts.hostname,
        port=_port(parts) or port,
        security=security,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ValueError("its port is not a number below 65536") from None


class Post:
    """Hands letters to one server, over a connection of their own."""

    def __init__(
        self,
        server: Server,
        *,
        sender: str,
        clock: Clock = utc_now,
        context: ssl.SSLContext | None = None,
        limit: float = LIMIT,
    ) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock
        self._context = context
        self._limit = limit

    async def send(self, letter: Letter) -> None:
        """`MailFailed` when the server did not take it."""
        try:
            await asyncio.to_thread(self._send, self._write(letter))
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise MailFailed(_why(error)) from error

    def _write(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = _address(self._sender, "AutoStack")
        message["To"] = _address(letter.to)
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(self._clock())
        message["Message-ID"] = make_msgid(domain=_address(self._sender).domain)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message

    def _send(self, message: EmailMessage) -> None:
        with self._connect() as connection:
            if self._server.username:
                connection.login(self._server.username, self._server.password)
            connection.send_message(message)

    def _connect(self) -> smtplib.SMTP:
        server, limit = self._server, self._limit
        context = self._context or ssl.create_default_context()
        if server.security == "tls":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=limit, context=context)
        connection = smtplib.SMTP(server.host, server.port, timeout=limit)
        if server.security == "starttls":
            try:
                connection.starttls(context=context)
            except BaseException:
                connection.close()
                raise
        return connection


def _address(text: str, name: str = "") -> Address:
    """Host names of other scripts as the DNS has them; the part before @ stays."""
    local, _, host = text.rpartition("@")
    return Address(name, username=local, domain=host.encode("idna").decode())


def _why(error: Exception) -> str:
    """An answer's code and kind; its text may repeat the address."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    return type(error).__name__
