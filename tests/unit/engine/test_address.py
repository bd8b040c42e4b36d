"""Repository addresses of threats G01 to G16, refused before anything is started."""

import pytest

from autostack.core.addresses import PrivateHosts, private_hosts
from autostack.engine.address import checked_ref, is_sha, parse_address
from autostack.engine.errors import BranchNotFound, RepositoryRefused

NONE = PrivateHosts()


def refused(url: str) -> RepositoryRefused:
    with pytest.raises(RepositoryRefused) as caught:
        parse_address(url, NONE)
    return caught.value


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://github.com/o/r", "https://github.com/o/r"),
        ("https://github.com/o/r.git/", "https://github.com/o/r.git"),
        ("HTTPS://GitHub.com:443/o/r", "https://github.com/o/r"),
        ("https://git.example.com:8443/~u/r%20s", "https://git.example.com:8443/~u/r%20s"),
        ("https://[2606:50c0:8000::153]/r", "https://[2606:50c0:8000::153]/r"),
        ("ssh://git@example.com:2222/o/r.git", "ssh://git@example.com:2222/o/r.git"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ("git@example.com:/srv/git/r", "git@example.com:/srv/git/r"),
    ],
)
def test_an_ordinary_address_is_taken_in_its_plain_form(text: str, url: str) -> None:
    assert parse_address(text, NONE).url == url


@pytest.mark.parametrize("url", ['ext::sh -c "touch /tmp/x"', "ext::sh%20-c%20id"])
def test_g01_a_transport_that_runs_a_program_is_refused(url: str) -> None:
    refused(url)


@pytest.mark.parametrize(
    "url",
    [
        "fd::17/foo",
        "http::http://127.0.0.1:1/x",
        "https::file:///etc/passwd",
        "git@github.com::x",
        "https://github.com/ext::sh",
    ],
)
def test_g02_a_remote_helper_is_refused(url: str) -> None:
    refused(url)


@pytest.mark.parametrize(
    "url", ["file:///etc", "/var/lib/autostack", "../other-project", ".", "", "C:\\repo", "repo"]
)
def test_g03_a_path_of_this_machine_is_refused(url: str) -> None:
    refused(url)


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch /tmp/x",
        "-c core.sshCommand=touch",
        "-utouch$IFS/tmp/x",
        "--config=x",
        "--template=/app/evil",
        "--separate-git-dir=/x",
    ],
)
def test_g05_g06_an_option_in_place_of_an_address_is_refused(url: str) -> None:
    refused(url)


@pytest.mark.parametrize(
    "url",
    [
        "ssh://-oProxyCommand=touch${IFS}x/x",
        "ssh://git@-oProxyCommand=x/x",
        "ssh://-oProxyCommand=x@github.com/x",
        "-oProxyCommand=x@github.com:x",
        "git@-oProxyCommand=x:y",
        "git@github.com:-x",
        "ssh://github.com/-x",
    ],
)
def test_g07_an_option_for_ssh_is_refused(url: str) -> None:
    refused(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/r.git$(touch x)",
        "https://example.com/r.git;touch",
        "https://example.com/user/repo';touch",
        "https://example.com/r`id`",
        "https://example.com/r|id",
        "git@example.com:r;id",
        "https://example.com/r\n.git",
        "https://example.com/r\x00",
        "https://example.com/\u202er",
        "https://example.com/r%0a",
        "https://example.com/%2e%2e/r",
        "https://example.com/../r",
        "https://example.com/r?x=1",
        "https://example.com/r#x",
        "https://example.com/",
        "https://example.com",
        "https:///r",
        "https://example.com:0/r",
        "https://example.com:65536/r",
        "https://example.com\\@evil.example/r",
    ],
)
def test_g13_what_is_no_plain_path_is_refused(url: str) -> None:
    refused(url)


@pytest.mark.parametrize("url", ["http://example.com/r", "git://example.com/r", "ftp://a.b/r"])
def test_g15_a_transport_others_can_read_is_refused(url: str) -> None:
    refused(url)


@pytest.mark.attack("G16")
@pytest.mark.parametrize(
    "url",
    [
        "https://u:s3cr3t@example.com/r",
        "https://s3cr3t@example.com/r",
        "ssh://u:s3cr3t@a.example/r",
    ],
)
def test_g16_a_secret_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    error = refused(url)

    assert "token field" in str(error)
    assert "s3cr3t" not in f"{error} {error.hint}"


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/r", "https://localhost/r", "https://127.1/r", "git@localhost:r"]
)
def test_r01_a_host_of_this_machine_is_refused(url: str) -> None:
    refused(url)


def test_a_listed_host_may_be_private_and_speak_http() -> None:
    listed = private_hosts(["127.0.0.1", "git.internal"])

    assert parse_address("http://127.0.0.1:8080/r.git", listed).port == 8080
    assert parse_address("http://git.internal/r.git", listed).host == "git.internal"
    with pytest.raises(RepositoryRefused):
        parse_address("http://example.com/r.git", listed)


@pytest.mark.parametrize(
    "ref",
    [
        "--upload-pack=touch x;",
        "-",
        "@",
        "@{-1}",
        ":/fix",
        "HEAD^{/x}",
        "a..b",
        "x.lock",
        "/x",
        "x/",
        "x" * 300,
        "ma\u202ein",
        "main\ntouch x",
        "a b",
        "a~1",
        "a*",
        "",
        ".x",
        "a/.b",
        "refs/heads/x.",
    ],
)
def test_g09_g10_g14_what_git_takes_for_no_name_is_refused(ref: str) -> None:
    with pytest.raises(BranchNotFound):
        checked_ref(ref)


@pytest.mark.parametrize(
    "ref", ["main", "feature/üñí-1", "v1.2.3", "dependabot/npm/@scope/x-1", "main;touch", "a$(b)"]
)
def test_g11_g14_a_name_git_takes_is_one_literal_word(ref: str) -> None:
    assert checked_ref(ref) == ref


def test_only_a_full_id_is_a_commit() -> None:
    assert is_sha("a" * 40)
    assert is_sha("0" * 64)
    assert not is_sha("a" * 39)
    assert not is_sha("A" * 40)
    assert not is_sha("--output=x")
