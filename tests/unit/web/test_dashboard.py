"""How the built dashboard is served."""

import base64
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from autostack.web.dashboard import STAMP, Dashboard

SCRIPT = "window.early=1"
FILES = {
    "index.html": f"<html><script>{SCRIPT}</script><script src=/x.js></script>projects</html>",
    "404.html": "<html>nowhere</html>",
    "deployments.html": "<html>deployments</html>",
    "projects/new.html": "<html>new</html>",
    "projects/_.html": "<html>a project</html>",
    "projects/_.txt": "payload of a project",
    "projects/_/settings.html": "<html>settings</html>",
    "projects/_/deployments/_.html": "<html>a deployment</html>",
    "projects/_/deployments/_/__next._tree.txt": "tree",
    "_next/static/chunk-1a2b.js": "code()",
    "_next/static/chunk-1a2b.js.br": "brotli",
    "_next/static/chunk-1a2b.js.gz": "gzip",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / STAMP).write_text("a build")
    return tmp_path


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=Dashboard(folder))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        client.headers["Accept-Encoding"] = "identity"
        yield client


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("", "projects"),
        ("/", "projects"),
        ("/deployments", "deployments"),
        ("/projects/new", "new"),
        ("/projects/7", "a project"),
        ("/projects/7.txt", "payload"),
        ("/projects/7/settings", "settings"),
        ("/projects/7/deployments/9", "a deployment"),
        ("/projects/7/deployments/9/__next._tree.txt", "tree"),
    ],
)
async def test_one_page_answers_every_id(client: httpx.AsyncClient, path: str, shown: str) -> None:
    answer = await client.get(f"/dashboard{path}")

    assert answer.status_code == 200
    assert shown in answer.text


@pytest.mark.parametrize("path", ["/nowhere", "board", "/projects/7/nothing", "/%2e%2e/.source"])
async def test_what_is_not_there_is_a_page_that_says_so(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(f"/dashboard{path}")

    assert answer.status_code == 404
    assert "nowhere" in answer.text


@pytest.mark.attack("O13")
async def test_only_the_scripts_of_the_build_may_run(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/dashboard")).headers["content-security-policy"]

    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert policy.endswith(f"script-src 'self' 'sha256-{digest}'")
    assert "unsafe" not in policy


async def test_what_has_its_hash_in_its_name_is_kept_for_ever(client: httpx.AsyncClient) -> None:
    code = await client.get("/dashboard/_next/static/chunk-1a2b.js")
    page = await client.get("/dashboard/deployments")

    assert code.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert page.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "coded"),
    [("br, gzip", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("deflate", None)],
)
async def test_it_is_sent_as_it_was_compressed(folder: Path, accepted: str, coded: str) -> None:
    transport = httpx.ASGITransport(app=Dashboard(folder))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        url = "/dashboard/_next/static/chunk-1a2b.js"
        headers = {"Accept-Encoding": accepted}
        async with client.stream("GET", url, headers=headers) as answer:
            raw = b"".join([piece async for piece in answer.aiter_raw()])

    assert answer.headers.get("content-encoding") == coded
    assert raw.decode() == {"br": "brotli", "gzip": "gzip", None: "code()"}[coded]
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_an_unchanged_page_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/dashboard/deployments")
    again = await client.get(
        "/dashboard/deployments", headers={"If-None-Match": first.headers["etag"]}
    )

    assert again.status_code == 304
    assert again.content == b""


async def test_head_says_what_get_would(client: httpx.AsyncClient) -> None:
    head = await client.head("/dashboard/deployments")
    post = await client.post("/dashboard/deployments")

    assert head.content == b""
    assert int(head.headers["content-length"]) == len(FILES["deployments.html"])
    assert (post.status_code, post.headers["allow"]) == (405, "GET, HEAD")


async def test_a_new_build_is_served_without_a_restart(
    client: httpx.AsyncClient, folder: Path
) -> None:
    await client.get("/dashboard/deployments")
    (folder / "deployments.html").write_text("<html>another</html>")
    (folder / STAMP).write_text("another build")
    os.utime(folder / STAMP, ns=(1, 1))

    assert "another" in (await client.get("/dashboard/deployments")).text


async def test_without_a_build_it_says_how_to_make_one(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(app=Dashboard(tmp_path))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/dashboard/projects/7")

    assert answer.status_code == 200
    assert "autostack dashboard build" in answer.text
