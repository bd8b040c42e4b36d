"""Static sites: one server for all of them, and nothing of a site that should not be seen."""

from pathlib import Path

from tests.e2e.repositories import publish
from tests.gitserver import GitServer
from tests.platform import User, request

PAGES = {
    "index.html": "<h1>start</h1>",
    "about.html": "about",
    "docs/index.html": "docs",
    ".secret": "hidden",
    "404.html": "not here",
}


def test_a_static_example_is_served(user: User, git: GitServer, examples: Path) -> None:
    project = user.create_project("site", publish(git, "site", examples / "static"))

    url = f"http://{user.deploy(project['id'])['url']}"

    assert request("GET", f"{url}/").status == 200
    assert "text/css" in request("GET", f"{url}/style.css").headers["Content-Type"]


def test_a_static_site_answers_as_people_expect(user: User, git: GitServer) -> None:
    git.create("pages", PAGES)
    url = f"http://{user.deploy(user.create_project('pages', git.url('pages'))['id'])['url']}"

    assert request("GET", f"{url}/").body == b"<h1>start</h1>"
    assert request("GET", f"{url}/about").body == b"about"
    assert request("GET", f"{url}/docs/").body == b"docs"
    for hidden in ("/.secret", "/nowhere", "/../../artifact.json", "/%2e%2e/artifact.json"):
        reply = request("GET", url + hidden)
        assert (reply.status, reply.body) == (404, b"not here"), hidden


def test_a_single_page_application_answers_every_address_of_its_own(
    user: User, git: GitServer
) -> None:
    git.create("spa", {"index.html": "app", "app.js": "run()"})
    url = f"http://{user.deploy(user.create_project('spa', git.url('spa'))['id'])['url']}"

    assert request("GET", f"{url}/users/7").body == b"app"
    assert request("GET", f"{url}/missing.js").status == 404


def test_a_new_version_of_a_site_replaces_all_of_the_old_one(user: User, git: GitServer) -> None:
    git.create("two", {"index.html": "one", "old.html": "old", "404.html": "gone"})
    project = user.create_project("two", git.url("two"))["id"]
    url = f"http://{user.deploy(project)['url']}"
    git.commit("two", {"index.html": "two"}, "second version", remove=["old.html"])

    user.deploy(project)

    assert request("GET", f"{url}/").body == b"two"
    assert request("GET", f"{url}/old.html").status == 404
