"""What users may type, filled with attacks, at a live platform."""

from typing import Any
from uuid import uuid4

import pytest

from tests.platform import request
from tests.security.live import World

ADDRESSES = {
    "G01": ['ext::sh -c "touch {mark}"', "ext::sh -c touch% {mark}"],
    "G02": ["fd::17/foo", "http::http://127.0.0.1:{port}/x", "https::file:///etc/passwd"],
    "G03": ["file:///etc", "{home}", "../other-project", ".", "/etc", "~/x"],
    "G05": ["--upload-pack=touch {mark}", "--upload-pack=touch${{IFS}}{mark}"],
    "G06": [
        "-c core.sshCommand=touch {mark}",
        "-utouch$IFS{mark}",
        "--config=x",
        "--template=/app/evil",
        "--separate-git-dir=/x",
    ],
    "G07": ["ssh://-oProxyCommand=touch${{IFS}}{mark}/x", "git@-oProxyCommand=touch:x"],
    "G13": [
        "https://h.example/r.git$(touch {mark})",
        "https://h.example/r.git;touch {mark}",
        "https://h.example/r.git;touch${{IFS}}{mark}",
        "user/repo';touch {mark}",
        "git@h.example:r.git`touch`",
    ],
    "O05": ["javascript:alert(1)", "JavaScript://h.example/%0aalert(1)", "data:text/html,x"],
    "R01": [
        "http://127.0.0.1:{port}/x.git",
        "https://127.0.0.1:{port}/x.git",
        "https://localhost:{port}/x.git",
        "https://[::1]:{port}/x.git",
        "https://0.0.0.0:{port}/x.git",
        "ssh://git@127.0.0.1:{port}/x.git",
        "git@127.0.0.1:x.git",
    ],
    "R02": [
        f"https://{host}:{{port}}/x.git"
        for host in (
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "0",
            "①②⑦.0.0.1",
            "127.0.0.1.",
            "localhost.",
            "127。0。0。1",
        )
    ],
    "R03": [
        "https://169.254.169.254/x.git",
        "https://metadata.google.internal/x.git",
        "https://100.100.100.200/x.git",
        "https://[fd00:ec2::254]/x.git",
    ],
    "R04": [
        f"https://[{host}]:{{port}}/x.git"
        for host in (
            "::ffff:169.254.169.254",
            "::ffff:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fec0::1",
            "::",
            "ff02::1",
            "2001:0:7f00:1::80ff:fffe",
        )
    ]
    + ["https://224.0.0.1/x.git", "https://255.255.255.255/x.git"],
    "R05": [
        f"https://{host}/x.git"
        for host in ("10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "198.18.0.1")
    ]
    + ["https://[fc00::1]/x.git", "https://[fe80::1]/x.git"],
}


@pytest.mark.attack(
    "G01", "G02", "G03", "G05", "G06", "G07", "G13", "O05", "R01", "R02", "R03", "R04", "R05"
)
@pytest.mark.parametrize("case", ADDRESSES)
def test_an_address_nobody_may_fetch_from_is_refused_wherever_it_is_given(
    world: World, case: str, word: str
) -> None:
    project = world.eve.project(word, world.git.url("victim"))

    for number, template in enumerate(ADDRESSES[case]):
        url = template.format(**world.names)
        calls = [("POST", "/projects/plan", {"repo_url": url})]
        if case[0] in "GO" or number == 0:
            calls.append(("POST", "/projects", {"name": f"{word}-b", "repo_url": url}))
            calls.append(("PATCH", f"/projects/{project}", {"repo_url": url}))
        for call in calls:
            refused_or_never_fetched(world, call)

    kept = world.eve.call("GET", f"/projects/{project}")["repo_url"]
    assert kept == world.git.url("victim") or case.startswith("R")


def refused_or_never_fetched(world: World, call: tuple[str, str, Any]) -> None:
    """A host is judged where it is asked for; the address itself where it is stored."""
    reply = world.eve.ask(*call)
    if reply.status == 200 and call[1] != "/projects/plan":
        found = world.eve.attempt(reply.json()["id"])
        assert found["status"] == "failed", call
        assert found["diagnosis"]["code"] != "internal_error", found
        if call[0] == "POST":
            world.eve.call("DELETE", f"/projects/{reply.json()['id']}")
    else:
        assert 400 <= reply.status < 500, (call, reply.status, reply.body[:300])


BRANCHES = [
    "--upload-pack=touch {mark};",
    "--output={mark}",
    "--orphan=zz",
    "-",
    "@{{-1}}",
    ":/fix",
    "HEAD^{{/x}}",
    "main\ntouch {mark}",
    "main\x00x",
    "a..b",
    "x.lock",
    "/x",
    "x/",
    "@",
    "x" * 300,
    "a\u202eb",
]
LITERAL = [
    "main;touch${{IFS}}{mark}",
    "main$(touch${{IFS}}{mark})",
    "main`touch`",
    "main|x",
    "main&x",
]


@pytest.mark.attack("G09", "G10", "G11", "G14")
def test_a_branch_is_a_name_or_nothing(world: World, word: str) -> None:
    project = world.eve.project(word, world.git.url("victim"))
    places = f"/projects/{project}/environments"

    for template in [*BRANCHES, *LITERAL]:
        branch = template.format(**world.names)
        plan = {"repo_url": world.git.url("victim"), "branch": branch}
        assert world.eve.ask("POST", "/projects/plan", plan).status == 422, branch
        for call in (
            ("POST", places, {"name": "staging", "branch": branch}),
            ("PATCH", f"{places}/production", {"branch": branch}),
        ):
            assert world.eve.ask(*call).status in {200, 409, 422}, branch
        asked = {"project_id": project, "branch": branch}
        made = world.eve.ask("POST", "/deployments", asked)
        if made.status == 200:
            found = world.eve.wait(made.json()["id"])
            assert (found["status"], found["commit_sha"]) == ("failed", None), branch
        else:
            assert made.status == 422, (branch, made.body)
    assert world.eve.ask("DELETE", f"{places}/staging").status in {200, 404}


@pytest.mark.attack("G10", "P07")
def test_an_id_is_an_id(world: World, word: str) -> None:
    project = world.eve.project(word, world.git.url("victim"))
    place = f"/environments/{world.eve.production(project)}"
    odd = ["--output={mark}", "--orphan=zz", "-", "@{{-1}}", ":/fix", "HEAD", "../../etc/passwd"]

    for template in odd:
        text = template.format(**world.names)
        world.refuses(
            world.eve,
            [
                ("POST", f"{place}/rollback", {"release_id": text}),
                ("POST", f"{place}/rollback", {"deployment_id": text}),
                ("GET", f"/deployments/{text}/logs", None),
                ("GET", f"/deployments/{project}/logs?file=../../secrets/secret.key", None),
                ("GET", f"/deployments/{text}/events", None),
                ("GET", f"/runs/{text}/logs", None),
            ],
        )


@pytest.mark.attack("B03")
def test_a_variable_has_a_name(world: World, word: str) -> None:
    project = world.eve.project(word, world.git.url("victim"))
    path = f"/projects/{project}/environments/production/variables"
    names = [
        "A=B",
        "A B",
        f"A;touch {world.mark}",
        f"$(touch {world.mark})",
        "A\nLD_PRELOAD",
        "",
        " ",
    ]

    for name in [*names, "A" * 1_000_000]:
        text = f'"{name}"=x' if "\n" in name else f"{name}=x"
        reply = world.eve.ask("PUT", path, {"dotenv": text, "replace": True})
        kept = {one["name"] for one in world.eve.call("GET", path)["items"]}
        assert reply.status in {413, 422} or (name == "A=B" and kept == {"A"}), (name, reply.body)
    for name in names[:4]:
        quoted = name.replace(";", "%3B").replace("/", "%2F")
        reply = world.eve.ask("PUT", f"{path}/{quoted}", {"value": "x"})
        assert reply.status in {404, 422}, (name, reply.body)


@pytest.mark.attack("B13", "O03", "O15")
def test_a_name_is_only_shown(world: World, word: str) -> None:
    names = [
        f"{word}$(touch {world.mark})",
        f"{word};b",
        f"../{word}",
        f"-rf {word}",
        f"{word} 🎉",
        f"<img src=x onerror=alert(1)>{word}",
        f"{{{{ env `PATH` }}}} {word}",
        f"{word}`touch {world.mark}`",
    ]

    for name in names:
        made = world.eve.ask(
            "POST", "/projects", {"name": name, "repo_url": world.git.url("victim")}
        )
        assert made.status == 200, made.body
        assert made.json()["name"] == name
        slug = made.json()["slug"]
        assert slug.replace("-", "").isalnum()
        assert slug.isascii()
        assert made.headers["content-type"] == "application/json"
        world.eve.call("DELETE", f"/projects/{made.json()['id']}")
    for name in (".", "x" * 300, "a\u202eb", "a\nb", "a\x00b"):
        answer = world.eve.ask(
            "POST", "/projects", {"name": name, "repo_url": "https://h.example/r"}
        )
        assert answer.status == 422, name


@pytest.mark.attack("B13")
def test_an_app_with_a_hostile_name_is_built_and_runs(world: World, word: str) -> None:
    project = world.eve.project(f"{word}`touch {world.mark}`$(id);-rf", world.git.url("victim"))
    world.eve.set(project, "CANARY", "mine")

    found = world.eve.attempt(project)

    assert found["status"] == "success", found["error_message"]


@pytest.mark.attack("P01", "P03")
@pytest.mark.parametrize("path", ["../../etc", "/etc", "..", "a/../../b", "nope\x00"])
@pytest.mark.parametrize("field", ["root", "publish"])
def test_a_directory_stays_inside_the_repository(
    world: World, word: str, field: str, path: str
) -> None:
    made = world.eve.ask(
        "POST",
        "/projects",
        {"name": word, "repo_url": world.git.url("victim"), "overrides": {field: path}},
    )

    if made.status != 200:
        assert made.status == 422
        return
    found = world.eve.attempt(made.json()["id"])
    if field == "root":
        assert found["status"] == "failed"
    else:  # what would lead out is left away, and the rest is looked for inside
        assert found["status"] == "failed" or path == ".."
    for name in ("passwd", "shadow", "etc/passwd", "../passwd"):
        served = request("GET", f"http://{found['url'] or world.victim['url']}/{name}")
        assert b"root:" not in served.body
    world.eve.call("DELETE", f"/projects/{made.json()['id']}")


@pytest.mark.attack("P03", "B19")
def test_nobody_names_a_dockerfile_a_mount_or_a_privilege(world: World, word: str) -> None:
    project = world.eve.project(word, world.git.url("victim"))
    asked = {
        "dockerfile": "/etc/passwd",
        "dockerfile_path": "../Dockerfile",
        "privileged": True,
        "cap_add": ["ALL"],
        "pid": "host",
        "network_mode": "host",
        "volumes": ["/:/host", "/var/run/docker.sock:/x"],
        "devices": ["/dev/sda"],
    }

    for name, value in asked.items():
        world.eve.ask("PATCH", f"/projects/{project}", {"overrides": {name: value}})
        kept = world.eve.call("GET", f"/projects/{project}")["overrides"]
        assert name not in kept


@pytest.mark.attack("Q02", "Q03", "R24")
def test_queries_are_values(world: World) -> None:
    mine = {one["id"] for one in world.eve.call("GET", "/projects")["items"]}
    for query in (
        "name=' or '1'='1",
        "name=x'; drop table projects; --",
        "limit=1e9",
        "limit=1000000000",
        "limit=-1",
        f"limit={'9' * 5000}",
        "cursor=' or 1=1",
        f"cursor={uuid4()}",
    ):
        reply = world.eve.ask("GET", f"/projects?{query}".replace(" ", "%20"))
        assert reply.status in {200, 422}, (query, reply.body)
        found = reply.json().get("items", [])
        assert {one["id"] for one in found} <= mine, query
        assert "select" not in reply.body.decode().lower()
    doubled = world.eve.ask("GET", f"/deployments?project_id={uuid4()}&project_id={uuid4()}")
    assert doubled.status in {200, 404, 422}
    assert not doubled.json().get("items")
