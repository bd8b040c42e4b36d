"""Key pairs the platform makes for a user's repositories."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def make_deploy_key(comment: str = "autostack") -> tuple[str, str]:
    """A fresh ed25519 pair as OpenSSH writes it: (private, public). The public half is one line
    to paste into the forge; the private one is for sealing at once.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    ).decode()
    public = (
        key.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .decode()
    )
    return private, f"{public} {comment}"
