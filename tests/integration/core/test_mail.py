"""Letters over real connections: protected ones, refusing ones, and none at all."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from autostack.core.mail import Letter, MailFailed, Post, Security, Server
from tests.clock import FakeClock
from tests.mailbox import PASSWORD, USER, Mailbox, mailbox

PLAIN = Letter(to="ada@x.io", subject="s", text="t")
LETTER = Letter(to="ü@bücher.example", subject="Größe", text="Your link:\nhttps://x.io/#token=a\n")


def certificate(folder: Path) -> Path:
    """For localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


def post(box: Mailbox, security: Security, trust: ssl.SSLContext | None = None, **to: str) -> Post:
    server = Server(host=to.get("host", "localhost"), port=box.port, security=security, **signed())
    return Post(server, sender="autostack@x.io", clock=FakeClock(), context=trust, limit=5)


def signed() -> dict[str, str]:
    return {"username": USER, "password": PASSWORD}


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


@pytest.fixture
def secured(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_a_letter_arrives_over_a_protected_connection(
    secured: ssl.SSLContext, pem: Path
) -> None:
    with mailbox(context=secured) as box:
        await post(box, "starttls", ssl.create_default_context(cafile=str(pem))).send(LETTER)

    (letter,) = box.letters
    assert letter["Subject"] == "Größe"
    assert letter["From"] == "AutoStack <autostack@x.io>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert box.recipients == [["ü@xn--bcher-kva.example"]]
    assert box.text().splitlines() == LETTER.text.splitlines()


async def test_a_server_nobody_vouches_for_gets_neither_password_nor_letter(
    secured: ssl.SSLContext,
) -> None:
    with mailbox(context=secured) as box, pytest.raises(MailFailed, match="SSLCertVerification"):
        await post(box, "starttls").send(LETTER)

    assert box.letters == []


async def test_a_server_that_offers_no_protection_gets_nothing_unless_told_so() -> None:
    with mailbox() as box, pytest.raises(MailFailed, match="SMTPNotSupported"):
        await post(box, "starttls").send(LETTER)

    assert box.letters == []


async def test_a_refusal_says_why_and_not_to_whom() -> None:
    with mailbox() as box:
        box.refuses = "554 no such <ü@bücher.example>"
        server = Server(host="127.0.0.1", port=box.port, security="none")
        with pytest.raises(MailFailed, match="554") as error:
            await Post(server, sender="autostack@x.io").send(LETTER)

    assert "cher" not in str(error.value)


async def test_a_server_that_is_away_is_a_failure_with_words() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Server(host="127.0.0.1", port=free.getsockname()[1], security="tls")

    with pytest.raises(MailFailed, match="ConnectionRefused"):
        await Post(server, sender="autostack@x.io", limit=5).send(PLAIN)
