"""A directory on somebody's disk becomes a working URL, without a repository anybody can reach."""

import io
import json
import os
import tarfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.apps import tells
from tests.e2e.conftest import SOURCE_LIMIT_MB
from tests.gitserver import git as run_git
from tests.platform import User, request

UNREACHABLE = "https://git.invalid/ada/shop.git"


def write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def commit(folder: Path) -> None:
    if not (folder / ".git").exists():
        run_git("-C", str(folder), "init", "--quiet", "--initial-branch=main")
    run_git("-C", str(folder), "add", "--all")
    run_git("-C", str(folder), "commit", "--quiet", "--message", "Change")


def page(deployment: Mapping[str, Any]) -> bytes:
    return request("GET", f"http://{deployment['url']}/").body


def send(user: User, project: str, data: bytes) -> Any:  # noqa: ANN401 - JSON
    """A body as it is, which the harness's JSON client cannot send."""
    asked = urllib.request.Request(  # noqa: S310 - our own http address
        f"{user.platform.api}/projects/{project}/uploads",
        data=data,
        method="POST",
        headers={"Authorization": f"Bearer {user.token}", "Content-Type": "application/gzip"},
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read())


def test_a_directory_is_deployed_as_it_is_committed_or_as_it_lies_there(
    user: User, tmp_path: Path
) -> None:
    user.create_project("folder", UNREACHABLE)
    app = tmp_path / "app"
    write(app, tells("v1"))
    commit(app)
    write(app, tells("v2"))

    first = user.command("deploy", ".", "-p", "folder", "--json", cwd=app)
    assert first.returncode == 0, first.stderr
    assert page(json.loads(first.stdout)) == b"v1\n"
    assert "1 file is changed or new and not committed" in first.stderr

    second = user.command("deploy", str(app), "--dirty", "-p", "folder", "--json", cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    done = json.loads(second.stdout)
    assert page(done) == b"v2\n"
    assert done["commit_sha"].startswith("upload-")
    assert done["branch"] is None


def test_an_upload_serves_until_it_is_rolled_back(user: User, tmp_path: Path) -> None:
    project = user.create_project("sent", UNREACHABLE)["id"]
    app = tmp_path / "app"
    for version in ("v1", "v2"):
        write(app, tells(version))
        done = user.command("deploy", "--dirty", "-p", "sent", "--json", cwd=app)
        assert done.returncode == 0, done.stderr

    environment = user.call("GET", f"/projects/{project}/environments")["items"][0]["id"]
    asked = user.call("POST", f"/environments/{environment}/rollback", {})
    back = user.wait(asked["id"])

    assert back["status"] == "success", back["error_message"]
    assert page(back) == b"v1\n"


def test_what_is_no_archive_fails_in_words(user: User) -> None:
    project = user.create_project("junk", UNREACHABLE)["id"]
    digest = send(user, project, b"no archive at all")["upload"]

    found = user.wait(user.request_deployment(project, upload=digest)["id"])

    assert found["status"] == "failed"
    assert "not a tar archive" in found["error_message"]


@pytest.mark.attack("B28")
def test_a_link_out_of_the_upload_is_refused(user: User) -> None:
    project = user.create_project("links", UNREACHABLE)["id"]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        link = tarfile.TarInfo("app.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
        tar.addfile(link)
    digest = send(user, project, out.getvalue())["upload"]

    found = user.wait(user.request_deployment(project, upload=digest)["id"])

    assert found["status"] == "failed"
    assert "'app.py'" in found["error_message"]
    assert "link" in found["error_message"]


def test_a_directory_that_is_too_large_is_refused_at_once(user: User, tmp_path: Path) -> None:
    user.create_project("heavy", UNREACHABLE)
    write(tmp_path, tells("v1"))
    (tmp_path / "blob").write_bytes(os.urandom((SOURCE_LIMIT_MB + 4) << 20))

    done = user.command("deploy", "--dirty", "-p", "heavy", cwd=tmp_path)

    assert done.returncode == 1
    assert f"larger than {SOURCE_LIMIT_MB} MB" in done.stderr
