"""Git over TLS: the name is checked although the connection goes to a pinned address."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from autostack.core.addresses import IPAddress, private_hosts
from autostack.core.home import Home
from autostack.drivers.sources.git import GitSource
from autostack.engine.errors import RepositoryDenied, RepositoryUnreachable
from autostack.engine.release import Credential, Repository
from tests.fakes import FakeLog
from tests.gitserver import GitServer
from tests.integration.sources.conftest import KEY, files

pytestmark = pytest.mark.needs("git")
NAME = "git.invalid"


def certificate(folder: Path) -> Path:
    """A key and a certificate for NAME that signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return certificate(tmp_path)


@pytest.fixture
def secure(tmp_path: Path, authority: Path) -> Iterator[GitServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority)
    with GitServer(tmp_path / "git", tls=tls, token="t0ken") as server:
        server.create("shop", {"a": "1"})
        yield server


def trusting(home: Home, ca_file: Path | None, *listed: str) -> GitSource:
    async def lookup(_host: str, _port: int) -> tuple[IPAddress, ...]:
        return (ip_address("127.0.0.1"),)

    return GitSource(home, private_hosts(listed), ca_file=ca_file, lookup=lookup)


def at(server: GitServer, host: str, token: str = "t0ken") -> Repository:
    url = server.url("shop").replace("127.0.0.1", host)
    return Repository(key=KEY, url=url, credential=Credential(token=token))


async def test_a_private_repository_over_https(
    home: Home, secure: GitServer, authority: Path, log: FakeLog
) -> None:
    source = trusting(home, authority, NAME)

    checkout = await source.fetch(at(secure, NAME), log=log)

    assert files(checkout) == {"a": b"1"}
    with pytest.raises(RepositoryDenied):
        await source.default_branch(at(secure, NAME, token="wr0ng"))


async def test_a_certificate_for_another_name_is_not_trusted(
    home: Home, secure: GitServer, authority: Path, log: FakeLog
) -> None:
    source = trusting(home, authority, "other.invalid")

    with pytest.raises(RepositoryUnreachable, match="TLS"):
        await source.fetch(at(secure, "other.invalid"), log=log)


async def test_a_certificate_nobody_vouches_for_is_not_trusted(
    home: Home, secure: GitServer, log: FakeLog
) -> None:
    with pytest.raises(RepositoryUnreachable, match="certificate is not trusted"):
        await trusting(home, None, NAME).fetch(at(secure, NAME), log=log)

    assert secure.asked == []
