import json
from collections.abc import Awaitable, Callable
from ipaddress import ip_address, ip_network
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from autostack.core.crypto import Opener
from autostack.core.db import Database
from autostack.features.environments import service as environments
from autostack.features.projects import service as projects
from autostack.features.variables import service as variables
from autostack.models.project import Project
from tests.integration.api.conftest import Account, Register

REPO = "https://git.example.com/ada/shop.git"


async def test_a_project_comes_with_a_production_environment_that_has_its_own_address(
    ada: Account,
) -> None:
    project = await ada.project("Mein Käse-Shop", language="python", database="none")

    assert UUID(project["id"])
    assert (project["name"], project["slug"]) == ("Mein Käse-Shop", "mein-kase-shop")
    listed = (await ada.client.get(f"/projects/{project['id']}/environments")).json()
    assert [one["name"] for one in listed["items"]] == ["production"]
    host = ip_address(listed["items"][0]["url"].partition(":")[0])
    assert host in ip_network("127.0.0.0/8")
    assert host not in ip_network("127.0.0.0/16")


async def test_two_projects_of_one_name_get_different_addresses(ada: Account, eve: Account) -> None:
    mine, other = await ada.project("Shop"), await eve.project("Shop")

    assert mine["slug"] == "shop"
    assert other["slug"].startswith("shop-")


async def test_a_name_is_used_once_in_a_team(ada: Account) -> None:
    await ada.project("Shop")

    again = await ada.client.post("/projects", json={"name": "Shop", "repo_url": REPO})

    assert (again.status_code, again.json()["code"]) == (409, "project_name_taken")


@pytest.mark.attack("X08")
@pytest.mark.parametrize("name", ["api", "WWW", "xn--80ak6aa92e", "admin"])
async def test_reserved_labels_are_not_given_away(ada: Account, name: str) -> None:
    project = await ada.project(name)

    assert project["slug"] != name.lower()


@pytest.mark.attack("B13")
@pytest.mark.parametrize("name", ["", " ", "日本", "a\nb", "x" * 81, "---", "\u202eevil\u0007"])
async def test_a_name_without_letters_for_an_address_is_refused(ada: Account, name: str) -> None:
    answer = await ada.client.post("/projects", json={"name": name, "repo_url": REPO})

    assert answer.status_code == 422


@pytest.mark.attack("G01", "G02", "G03", "G05", "G06", "G07", "G13")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop",
        "/etc/passwd",
        "file:///etc/passwd",
        "ext::sh -c id",
        "fd::17",
        "http::http://x/y",
        "git://git.example.com/a/b",
        "--upload-pack=id",
        "-oProxyCommand=id:x",
        "git@-oProxyCommand=id:a/b",
        "ssh://-oProxyCommand=id/x",
        "https://user:secret-token@git.example.com/a/b",
        "https://secret-token@git.example.com/a/b",
        "https://git.example.com/",
        "https://git.example.com/a b",
        "https://git.example.com/a?x=1",
        "https://git.example.com/a\nb",
        "https:///a/b",
        "https://git.example.com:x/a",
        "https://ｅxample.com/a/b",  # noqa: RUF001
        "x" * 501,
    ],
)
async def test_an_address_that_is_no_repository_is_refused(ada: Account, url: str) -> None:
    answer = await ada.client.post("/projects", json={"name": "Shop", "repo_url": url})

    assert answer.status_code == 422
    assert "secret-token" not in answer.text


@pytest.mark.parametrize(
    "url",
    [
        REPO,
        "http://127.0.0.1:3000/a.git",
        "git@github.com:a/b.git",
        "ssh://git@host.example:2222/a/b",
        "https://[::1]:3000/a.git",
    ],
)
async def test_the_usual_forms_of_a_repository_address_are_taken(ada: Account, url: str) -> None:
    project = await ada.project("Shop", repo_url=url)

    assert project["repo_url"] == url


async def test_a_database_we_cannot_provide_is_refused_with_words(ada: Account) -> None:
    body = {"name": "Shop", "repo_url": REPO, "database": "postgresql"}

    answer = await ada.client.post("/projects", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "database_unavailable")
    assert "DATABASE_URL" in answer.json()["hint"]


async def test_projects_are_listed_in_pages_that_repeat_and_skip_none(ada: Account) -> None:
    made = [(await ada.project(f"Shop {number}"))["id"] for number in range(7)]
    seen: list[str] = []
    cursor: str | None = None

    while True:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await ada.client.get("/projects", params=query)).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert sorted(seen) == sorted(made)
    assert len(seen) == len(set(seen))


@pytest.mark.attack("Q02")
@pytest.mark.parametrize("cursor", ["x", "é", "WyJhIiwiYiJd", "bnVsbA", "WzEsMl0", "=" * 9])
async def test_a_made_up_cursor_is_refused(ada: Account, cursor: str) -> None:
    answer = await ada.client.get("/projects", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


async def test_a_project_is_found_by_its_name(ada: Account) -> None:
    await ada.project("Shop")
    await ada.project("Blog")

    found = (await ada.client.get("/projects", params={"name": "Blog"})).json()["items"]

    assert [one["name"] for one in found] == ["Blog"]


async def test_only_what_is_sent_changes_and_addresses_stay(ada: Account) -> None:
    project = await ada.project("Shop", description="cheese")

    changed = await ada.client.patch(
        f"/projects/{project['id']}",
        json={"name": "Store", "overrides": {"start_command": "gunicorn app:app"}},
    )

    assert changed.status_code == 200
    body = changed.json()
    assert (body["name"], body["slug"], body["description"]) == ("Store", "shop", "cheese")
    assert body["overrides"]["start_command"] == "gunicorn app:app"


async def test_a_removed_project_is_gone_at_once_and_a_worker_is_told(
    ada: Account, db: Database
) -> None:
    project = await ada.project("Shop")

    removed = await ada.client.delete(f"/projects/{project['id']}")

    assert removed.status_code == 200
    assert (await ada.client.get(f"/projects/{project['id']}")).status_code == 404
    assert (await ada.client.get("/projects")).json()["items"] == []
    async with db.transaction() as session:
        jobs = await session.execute(text("select task_name, args from procrastinate_jobs"))
        assert [tuple(job) for job in jobs] == [("project.remove", {"project_id": project["id"]})]
    assert (await ada.project("Shop"))["slug"] != "shop"


@pytest.mark.attack("S09", "Z15")
async def test_an_access_token_is_sealed_and_never_shown_again(
    ada: Account, db: Database, opener: Opener
) -> None:
    project = await ada.project()

    answer = await ada.client.put(
        f"/projects/{project['id']}/credential", json={"username": "ada", "token": "ghp_secret"}
    )

    assert (answer.status_code, answer.json()["has_credential"]) == (200, True)
    assert "ghp_secret" not in answer.text
    async with db.transaction() as session:
        row = (await session.scalars(select(Project))).one()
    assert row.credential is not None
    assert b"ghp_secret" not in row.credential
    kept = projects.credential(row, opener)
    assert kept is not None
    assert (kept.username, kept.token) == ("ada", "ghp_secret")


@pytest.mark.attack("Z15")
async def test_a_deploy_key_shows_its_public_half_only(
    ada: Account, db: Database, opener: Opener
) -> None:
    project = await ada.project()

    answer = await ada.client.post(f"/projects/{project['id']}/deploy-key")

    assert answer.json()["deploy_key"].startswith("ssh-ed25519 ")
    assert "PRIVATE" not in answer.text
    async with db.transaction() as session:
        row = (await session.scalars(select(Project))).one()
    kept = projects.credential(row, opener)
    assert kept is not None
    assert "PRIVATE KEY" in kept.private_key


async def test_environments_are_made_listed_and_removed(ada: Account) -> None:
    project = await ada.project()
    url = f"/projects/{project['id']}/environments"

    made = await ada.client.post(url, json={"name": "staging", "branch": "develop"})
    again = await ada.client.post(url, json={"name": "staging"})
    known = [one["name"] for one in (await ada.client.get(url)).json()["items"]]
    gone = await ada.client.delete(f"{url}/staging")
    left = [one["name"] for one in (await ada.client.get(url)).json()["items"]]

    assert (made.status_code, made.json()["hostname"]) == (200, "shop-staging")
    assert (again.status_code, again.json()["code"]) == (409, "environment_exists")
    assert (known, gone.status_code, left) == (["production", "staging"], 200, ["production"])


@pytest.mark.attack("S17", "Z17")
async def test_an_environment_has_none_of_productions_secrets(ada: Account) -> None:
    project = await ada.project()
    url = f"/projects/{project['id']}/environments"
    await ada.client.put(f"{url}/production/variables/A", json={"value": "secret"})

    made = await ada.client.post(url, json={"name": "preview-1"})
    inside = await ada.client.get(f"{url}/preview-1/variables")

    assert inside.json()["items"] == []
    assert {UUID(one).version for one in (project["id"], made.json()["id"])} == {4}


@pytest.mark.attack("Q01")
async def test_projects_and_environments_are_bounded(
    ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "MOST", 2)
    monkeypatch.setattr(environments, "MOST", 2)
    first = await ada.project("One")
    await ada.project("Two")
    url = f"/projects/{first['id']}/environments"
    await ada.client.post(url, json={"name": "staging"})

    third = await ada.client.post("/projects", json={"name": "Three", "repo_url": REPO})
    another = await ada.client.post(url, json={"name": "preview"})
    await ada.client.delete(f"/projects/{first['id']}")
    again = await ada.client.post("/projects", json={"name": "Three", "repo_url": REPO})

    assert (third.status_code, third.json()["code"]) == (409, "projects_exhausted")
    assert (another.status_code, another.json()["code"]) == (409, "environments_exhausted")
    assert again.status_code == 200


async def test_production_stays(ada: Account) -> None:
    project = await ada.project()

    answer = await ada.client.delete(f"/projects/{project['id']}/environments/production")

    assert (answer.status_code, answer.json()["code"]) == (409, "production_stays")


async def test_an_unknown_environment_is_named_with_the_known_ones(ada: Account) -> None:
    project = await ada.project()

    answer = await ada.client.get(f"/projects/{project['id']}/environments/nope/variables")

    assert answer.status_code == 404
    assert "production" in answer.json()["hint"]


@pytest.mark.parametrize("name", ["", "Staging", "a b", "-x", "x-", "x" * 33, "../x"])
async def test_an_environments_name_is_a_label(ada: Account, name: str) -> None:
    project = await ada.project()

    answer = await ada.client.post(f"/projects/{project['id']}/environments", json={"name": name})

    assert answer.status_code == 422


@pytest.mark.attack("S01", "S09")
async def test_variables_are_listed_without_values_and_only_the_worker_reads_them(
    ada: Account, db: Database, opener: Opener
) -> None:
    project = await ada.project()
    url = f"/projects/{project['id']}/environments/production/variables"

    await ada.client.put(f"{url}/DATABASE_URL", json={"value": "postgres://secret"})
    answer = await ada.client.put(f"{url}/DATABASE_URL", json={"value": "postgres://new-secret"})

    assert [(one["name"], one["version"]) for one in answer.json()["items"]] == [
        ("DATABASE_URL", 2)
    ]
    assert "secret" not in answer.text
    environment = (await ada.client.get(f"/projects/{project['id']}/environments")).json()
    async with db.transaction() as session:
        opened = await variables.opened(session, UUID(environment["items"][0]["id"]), opener)
        rows = [str(row) for row in await session.execute(text("select * from variables"))]
        told = [str(row) for row in await session.execute(text("select data from events"))]
    assert opened.values == {"DATABASE_URL": "postgres://new-secret"}
    assert opened.versions == {"DATABASE_URL": 2}
    assert "secret" not in "".join(rows + told)


async def test_many_variables_are_set_from_a_dotenv_text(ada: Account) -> None:
    project = await ada.project()
    url = f"/projects/{project['id']}/environments/production/variables"
    await ada.client.put(f"{url}/OLD", json={"value": "1"})

    merged = await ada.client.put(url, json={"dotenv": "export A=1\n# no\nB='x y'\n"})
    replaced = await ada.client.put(url, json={"dotenv": "A=2", "replace": True})

    assert [one["name"] for one in merged.json()["items"]] == ["A", "B", "OLD"]
    assert [one["name"] for one in replaced.json()["items"]] == ["A"]


@pytest.mark.attack("B03", "B04")
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("PORT", "variable_reserved"),
        ("AUTOSTACK_HOME", "variable_reserved"),
        ("1A", "variable_name_invalid"),
        ("A-B", "variable_name_invalid"),
        ("A=B", "variable_name_invalid"),
        ("É", "variable_name_invalid"),
        ("X" * 129, "variable_name_invalid"),
    ],
)
async def test_names_that_are_ours_or_no_names_are_refused(
    ada: Account, name: str, code: str
) -> None:
    project = await ada.project()

    answer = await ada.client.put(
        f"/projects/{project['id']}/environments/production/variables/{name}",
        json={"value": "hunter2"},
    )

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert "hunter2" not in answer.text


@pytest.mark.attack("Q01")
async def test_what_an_environment_holds_is_bounded_and_a_refusal_changes_nothing(
    ada: Account,
) -> None:
    project = await ada.project()
    url = f"/projects/{project['id']}/environments/production/variables"
    many = "\n".join(f"V{number}=x" for number in range(501))
    large = "\n".join(f"V{number}={'x' * 60_000}" for number in range(9))

    answers = [await ada.client.put(url, json={"dotenv": text}) for text in (many, large)]
    long = await ada.client.put(f"{url}/LONG", json={"value": "ü" * 40_000})

    assert [answer.status_code for answer in answers] == [413, 413], answers[1].text
    assert long.status_code == 413
    assert (await ada.client.get(url)).json()["items"] == []


async def test_removing_a_variable_that_is_not_there_says_so(ada: Account) -> None:
    project = await ada.project()
    url = f"/projects/{project['id']}/environments/production/variables/NOPE"

    assert (await ada.client.delete(url)).status_code == 404


Call = Callable[[Account, str], Awaitable[tuple[int, str]]]

CALLS: list[tuple[str, str, dict[str, object] | None]] = [
    ("GET", "/projects/{id}", None),
    ("PATCH", "/projects/{id}", {"name": "mine"}),
    ("DELETE", "/projects/{id}", None),
    ("PUT", "/projects/{id}/credential", {"token": "x"}),
    ("DELETE", "/projects/{id}/credential", None),
    ("POST", "/projects/{id}/deploy-key", None),
    ("GET", "/projects/{id}/environments", None),
    ("POST", "/projects/{id}/environments", {"name": "staging"}),
    ("DELETE", "/projects/{id}/environments/production", None),
    ("GET", "/projects/{id}/environments/production/variables", None),
    ("PUT", "/projects/{id}/environments/production/variables", {"dotenv": "A=1"}),
    ("PUT", "/projects/{id}/environments/production/variables/A", {"value": "1"}),
    ("DELETE", "/projects/{id}/environments/production/variables/A", None),
]


@pytest.mark.attack("Z03")
@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_another_users_project_looks_like_one_that_is_not_there(
    ada: Account, eve: Account, method: str, path: str, body: dict[str, object] | None
) -> None:
    project = await ada.project()

    theirs = await eve.client.request(method, path.format(id=project["id"]), json=body)
    nobodys = await eve.client.request(method, path.format(id=uuid4()), json=body)
    stranger = await eve.client.request(
        method, path.format(id=project["id"]), json=body, headers={"Authorization": ""}
    )

    assert theirs.status_code == nobodys.status_code == 404
    assert json.loads(theirs.content) == json.loads(nobodys.content)
    assert stranger.status_code == 401
    assert (await ada.client.get(f"/projects/{project['id']}")).json() == project


async def test_how_an_environment_is_watched_can_be_changed(register: Register) -> None:
    ada = await register("ada@example.com")
    project = await ada.project()
    path = f"/projects/{project['id']}/environments/production"

    before = (await ada.client.get(f"/projects/{project['id']}/environments")).json()["items"][0]
    changed = await ada.client.patch(path, json={"watch": {"seconds": 5, "going_back": "never"}})
    branch = await ada.client.patch(path, json={"branch": "main"})
    wrong = await ada.client.patch(path, json={"watch": {"seconds": -1}})
    back = await ada.client.patch(path, json={"watch": None})

    assert before["watch"] == {"seconds": None, "going_back": "careful"}
    assert changed.json()["watch"] == {"seconds": 5, "going_back": "never"}
    assert (branch.json()["branch"], branch.json()["watch"]["seconds"]) == ("main", 5)
    assert wrong.status_code == 422
    assert back.json()["watch"] == before["watch"]


@pytest.mark.attack("Z03")
async def test_an_environment_of_others_is_not_changed_and_its_traffic_not_told(
    register: Register,
) -> None:
    ada, eve = await register("ada@example.com"), await register("eve@example.com")
    path = f"/projects/{(await ada.project())['id']}/environments/production"

    assert (await eve.client.patch(path, json={"branch": "x"})).status_code == 404
    assert (await eve.client.get(f"{path}/traffic")).status_code == 404
    told = await ada.client.get(f"{path}/traffic", params={"window": "24h"})
    assert told.json()["total"]["requests"] == 0
    assert len(told.json()["points"]) == 96
