import pytest

from autostack.core.crypto import (
    KeyUnusable,
    Opener,
    SealBroken,
    Sealer,
    SealKeyMissing,
    SecretTooWeak,
    Vault,
    derive,
    generate,
    generate_secret,
    public_of,
)

PLACE = "variable:1:DATABASE_URL"


def test_what_was_sealed_is_opened_with_the_private_key() -> None:
    private, public = generate()

    sealed = Sealer(public).seal(b"hunter2", context=PLACE)

    assert b"hunter2" not in sealed
    assert Opener([private]).open(sealed, context=PLACE) == b"hunter2"


def test_the_same_value_sealed_twice_looks_different() -> None:
    sealer = Sealer(generate()[1])

    assert sealer.seal(b"x", context=PLACE) != sealer.seal(b"x", context=PLACE)


def test_a_sealed_value_moved_to_another_place_does_not_open() -> None:
    private, public = generate()
    sealed = Sealer(public).seal(b"hunter2", context=PLACE)

    with pytest.raises(SealBroken):
        Opener([private]).open(sealed, context="variable:2:DATABASE_URL")


@pytest.mark.attack("S02")
@pytest.mark.parametrize("position", [0, 8, 9, 40, -1])
def test_a_changed_byte_is_noticed(position: int) -> None:
    private, public = generate()
    sealed = bytearray(Sealer(public).seal(b"hunter2", context=PLACE))
    sealed[position] ^= 1

    with pytest.raises((SealBroken, SealKeyMissing)):
        Opener([private]).open(bytes(sealed), context=PLACE)


@pytest.mark.parametrize("length", [0, 1, 8, 9, 20, 41])
def test_a_cut_value_is_noticed(length: int) -> None:
    private, public = generate()
    sealed = Sealer(public).seal(b"hunter2", context=PLACE)

    with pytest.raises(SealBroken):
        Opener([private]).open(sealed[:length], context=PLACE)


def test_after_a_rotation_old_values_still_open() -> None:
    (old_private, old_public), (new_private, new_public) = generate(), generate()
    opener = Opener([new_private, old_private])

    for public in (old_public, new_public):
        sealed = Sealer(public).seal(b"hunter2", context=PLACE)
        assert opener.open(sealed, context=PLACE) == b"hunter2"


def test_a_lost_key_is_said_in_words() -> None:
    sealed = Sealer(generate()[1]).seal(b"hunter2", context=PLACE)

    with pytest.raises(SealKeyMissing, match="no longer has"):
        Opener([generate()[0]]).open(sealed, context=PLACE)


@pytest.mark.parametrize("text", ["", "not a key", "AAAA", "é"])
def test_an_unusable_key_stops_the_start(text: str) -> None:
    with pytest.raises(KeyUnusable):
        Sealer(text)
    with pytest.raises(KeyUnusable):
        Opener([text])


def test_the_vault_reads_back_what_it_encrypted_for_the_same_place_only() -> None:
    vault = Vault(generate_secret())
    stored = vault.encrypt(b"gho_token", context="user:1")

    assert vault.decrypt(stored, context="user:1") == b"gho_token"
    with pytest.raises(SealBroken):
        vault.decrypt(stored, context="user:2")
    with pytest.raises(SealBroken):
        vault.decrypt(stored[:10], context="user:1")


@pytest.mark.attack("A09")
@pytest.mark.parametrize("weak", ["", "changeme", "a" * 64, "x" * 31])
def test_a_weak_secret_stops_the_start(weak: str) -> None:
    with pytest.raises(SecretTooWeak):
        derive(weak, "sign")


def test_each_purpose_has_a_key_of_its_own() -> None:
    secret = generate_secret()

    assert derive(secret, "sign") != derive(secret, "vault")
    assert derive(secret, "sign") == derive(secret, "sign")


def test_a_rotated_key_is_followed_without_a_restart() -> None:
    old, new = generate(), generate()
    keys, seals = [old[0]], [old[1]]
    opener = Opener(keys, again=lambda: keys)
    sealer = Sealer(old[1], now=lambda: seals[0])
    before = sealer.seal(b"1", context=PLACE)

    keys.insert(0, new[0])
    seals[0] = new[1]
    after = sealer.seal(b"2", context=PLACE)

    assert before[:9] != after[:9] == sealer.header
    assert [opener.open(one, context=PLACE) for one in (before, after)] == [b"1", b"2"]
    assert public_of(new[0]) == new[1]
