"""Repositories made to run something on the host, at a live platform."""

import json

import pytest

from tests.gitserver import Link, Program, git
from tests.security.live import World

APP = {
    "app.py": """
import os
from http.server import HTTPServer, SimpleHTTPRequestHandler
HTTPServer(("0.0.0.0", int(os.environ["PORT"])), SimpleHTTPRequestHandler).serve_forever()
""",
    "Procfile": "web: python app.py\n",
}


def eager(mark: str) -> dict[str, object]:
    """Everything that tools run by themselves when they only look at a project."""
    touch = f"touch {mark}"
    python = f"import os; os.system({touch!r})\n"
    return {
        **APP,
        "package.json": json.dumps(
            {"name": "x", "scripts": dict.fromkeys(("preinstall", "prepare", "build"), touch)}
        ),
        "setup.py": python,
        "conftest.py": python,
        "sitecustomize.py": python,
        "gunicorn.conf.py": python,
        "manage.py": python,
        "next.config.js": f"require('child_process').execSync({touch!r})\n",
        ".npmrc": f"script-shell={touch}\n",
        "Makefile": f"$(shell {touch})\nall:\n\t{touch}\n",
        ".envrc": f"{touch}\n",
        ".git-blame-ignore-revs": "x",
        ".gitattributes": "* filter=x diff=x merge=x export-subst\n",
        ".githooks/post-checkout": Program(f"#!/bin/sh\n{touch}\n"),
        "hooks/post-checkout": Program(f"#!/bin/sh\n{touch}\n"),
    }


@pytest.mark.attack("B21")
def test_looking_at_a_repository_runs_nothing_of_it(world: World, word: str) -> None:
    world.git.create(word, eager(str(world.mark)))

    planned = world.eve.ask("POST", "/projects/plan", {"repo_url": world.git.url(word)})

    assert planned.status in {200, 422}, planned.body


HOSTILE_MODULES = """
[submodule "x"]
\tpath = x
\turl = http://127.0.0.1:{port}/internal.git
[submodule "../../hooks"]
\tpath = hooks
\turl = ./sub
\tupdate = !touch {mark}
[submodule "cr"]
\tpath = "sub\\r"
\turl = ../../other-tenant.git
[submodule "dash"]
\tpath = y
\turl = --upload-pack=touch {mark}
[submodule "ext"]
\tpath = z
\turl = ext::sh -c touch% {mark}
\tfetchRecurseSubmodules = true
"""


@pytest.mark.attack("G19", "G20", "G21", "G22", "G32")
def test_submodules_and_lfs_are_never_followed(world: World, word: str) -> None:
    files = {
        **APP,
        ".gitmodules": HOSTILE_MODULES.format(**world.names),
        ".lfsconfig": f"[lfs]\n\turl = http://127.0.0.1:{world.traps.port}/lfs\n",
        ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        "a.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "a": Link(".git"),
    }
    sha = world.git.create(word, files)
    folder = world.git.folder(word)
    git("read-tree", "main", folder=folder)
    for path in ("x", "sub\r", "y", "z", "A/modules/x"):
        git("update-index", "--add", "--cacheinfo", f"160000,{sha},{path}", folder=folder)
    tree = git("write-tree", folder=folder).strip()
    commit = git("commit-tree", "-m", "hostile", tree, folder=folder).strip()
    git("update-ref", "refs/heads/main", commit, folder=folder)
    project = world.eve.project(word, world.git.url(word))

    found = world.eve.attempt(project)

    assert found["status"] in {"success", "failed"}
    assert not [line for line in world.git.asked if "other-tenant" in line]
    world.eve.call("DELETE", f"/projects/{project}")


@pytest.mark.attack("G23", "G27", "G28")
@pytest.mark.parametrize(
    ("files", "root"),
    [
        ({"Procfile": Link("/etc/passwd")}, None),
        ({**APP, "Dockerfile": Link("/proc/self/environ")}, None),
        ({**APP, "requirements.txt": Link("../../../../../../etc/shadow")}, None),
        ({**APP, "app": Link("/etc")}, "app"),
        ({**APP, ".g\u200cit/hooks/post-checkout": Program("#!/bin/sh\ntouch MARK\n")}, None),
        (
            {
                "app/HEAD": "ref: refs/heads/main\n",
                "app/config": "[core]\n\tbare = true\n\tfsmonitor = touch MARK\n",
                "app/objects/x": "",
                "app/refs/heads/x": "",
                **{f"app/{name}": text for name, text in APP.items()},
            },
            "app",
        ),
    ],
)
def test_files_that_lead_elsewhere_are_refused_or_are_only_files(
    world: World, word: str, files: dict[str, object], root: str | None
) -> None:
    filled = {
        name: Program(one.text.replace("MARK", str(world.mark)))
        if isinstance(one, Program)
        else (one.replace("MARK", str(world.mark)) if isinstance(one, str) else one)
        for name, one in files.items()
    }
    world.git.create(word, filled)
    project = world.eve.project(word, world.git.url(word), **({"root": root} if root else {}))

    found = world.eve.attempt(project)

    log = world.eve.log(found["id"])
    assert "root:" not in log
    assert "AUTOSTACK_SECRET" not in log
    assert found["status"] == "failed" or not any(isinstance(one, Link) for one in files.values())
    world.eve.call("DELETE", f"/projects/{project}")


@pytest.mark.attack("G41", "R11")
def test_a_repository_leads_nowhere_else(world: World, word: str) -> None:
    world.git.create(word, APP)
    world.git.manners[word] = "redirect"
    inside = f"http://127.0.0.1:{world.traps.port}/internal"
    world.git.elsewhere = f"{inside}?service=git-upload-pack"
    project = world.eve.project(word, world.git.url(word))

    found = world.eve.attempt(project)

    assert found["status"] == "failed"
    assert "redirect" in found["error_message"]
    world.eve.call("DELETE", f"/projects/{project}")
