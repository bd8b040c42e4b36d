"""How git and ssh are called, as data."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from autostack.core.addresses import PrivateHosts
from autostack.drivers.sources.command import (
    Place,
    Remote,
    fetch_args,
    git_env,
    ls_remote_args,
    ssh_config,
    ssh_wrapper,
    version,
)
from autostack.engine.address import parse_address
from autostack.engine.release import Credential

PLACE = Place(home=Path("/m/.call"), git="/usr/bin/git", path="/usr/bin")
REMOTE = Remote(
    address=parse_address("https://git.example.com/o/r", PrivateHosts()),
    at=(ip_address("140.82.121.3"), ip_address("2606:50c0::1")),
    credential=Credential(token="s3cr3t"),
)
SSH = replace(REMOTE, address=parse_address("ssh://git@git.example.com:2222/r", PrivateHosts()))


def config(remote: Remote | None) -> dict[str, str]:
    env = git_env(PLACE, remote, low_speed=15)
    count = int(env["GIT_CONFIG_COUNT"])
    return {env[f"GIT_CONFIG_KEY_{n}"]: env[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)}


@pytest.mark.attack("B05", "S06")
def test_the_environment_is_made_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOSTACK_SECRET_KEY", "canary")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")

    env = git_env(PLACE, REMOTE, low_speed=15)

    assert "canary" not in env.values()
    assert "https_proxy" not in env
    assert env["GIT_TERMINAL_PROMPT"] == "0"
    assert env["GIT_ALLOW_PROTOCOL"] == "https"


def test_no_remote_means_no_transport_and_no_token() -> None:
    env = git_env(PLACE, None, low_speed=15)

    assert env["GIT_ALLOW_PROTOCOL"] == "none"
    assert not [value for value in env.values() if "Authorization" in value]


def test_the_safe_options_are_always_there() -> None:
    found = config(REMOTE)

    assert found["safe.bareRepository"] == "explicit"
    assert found["core.hooksPath"] == "/dev/null"
    assert found["core.fsmonitor"] == "false"
    assert found["protocol.allow"] == "never"
    assert found["http.followRedirects"] == "false"


@pytest.mark.attack("R07")
def test_git_connects_to_the_address_that_was_checked() -> None:
    pinned = config(REMOTE)["http.curloptResolve"]

    assert pinned == "git.example.com:443:140.82.121.3,[2606:50c0::1]"


@pytest.mark.attack("S05")
def test_the_token_goes_to_its_own_repository_and_into_no_argument() -> None:
    args = [*fetch_args(REMOTE.address.url, ["x"], depth=1), *ls_remote_args(REMOTE.address.url)]

    assert "http.https://git.example.com/o/r.extraHeader" in config(REMOTE)
    assert not [word for word in args if "s3cr3t" in word]


@pytest.mark.attack("G05", "G09")
def test_users_words_come_after_the_end_of_the_options() -> None:
    for args in (fetch_args("https://h/r", ["ref"], depth=1), ls_remote_args("https://h/r")):
        assert args.index("--end-of-options") < args.index("https://h/r")


def test_ssh_asks_nobody_and_connects_to_the_address_that_was_checked() -> None:
    text = ssh_config(SSH, known_hosts=Path("/m/known_hosts"), key=Path("/m/key"))

    assert "HostName 140.82.121.3\n" in text
    assert "HostKeyAlias [git.example.com]:2222\n" in text
    assert "StrictHostKeyChecking accept-new\n" in text
    assert "BatchMode yes\n" in text
    assert "IdentityAgent none\n" in text


def test_a_given_host_key_is_the_only_one_taken() -> None:
    given = Credential(private_key="k", known_hosts="git.example.com ssh-ed25519 AAAA")
    text = ssh_config(replace(SSH, credential=given), known_hosts=Path("/m/k"), key=None)

    assert "StrictHostKeyChecking yes\n" in text


def test_a_home_that_would_break_the_wrapper_is_refused() -> None:
    with pytest.raises(ValueError, match="quotes"):
        ssh_wrapper(Path('/home/a"b/config'), ssh="/usr/bin/ssh")


def test_an_older_git_is_known_as_such() -> None:
    assert version(b"git version 2.39.5\n") == (2, 39)
    assert version(b"git version 2.50.1 (Apple Git-155)\n") == (2, 50)
    assert version(b"nonsense") == (0, 0)
