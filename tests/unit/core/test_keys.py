from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key

from autostack.core.keys import make_deploy_key


def test_a_deploy_key_is_a_pair_openssh_reads() -> None:
    private, public = make_deploy_key("autostack shop")

    key = load_ssh_private_key(private.encode(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    assert load_ssh_public_key(public.encode()) == key.public_key()
    assert public.startswith("ssh-ed25519 ")
    assert public.endswith(" autostack shop")
    assert make_deploy_key()[0] != private
