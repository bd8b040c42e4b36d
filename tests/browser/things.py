"""What the pages show: a project with all there can be, an empty one, and two hundred more."""

from dataclasses import dataclass

from tests.browser.browser import ADMIN, ROOT
from tests.e2e.repositories import publish
from tests.e2e.test_hooks import deliver
from tests.gitserver import GitServer
from tests.platform import Platform, User, request

LONG = "a-very-long-name-of-a-project-that-somebody-chose-without-thinking-of-phones"
MANY = "many@example.com"
"""Who has two hundred projects."""
NEW = "new@example.com"
"""Who has nothing yet."""
COUNT = 200
BROKEN = {"app.py": "raise SystemExit('no')\n"}
ASKING = {
    "app.py": """\
import os

from flask import Flask

app = Flask(__name__)
KEY = os.environ["KEY"]
""",
    "requirements.txt": "flask\ngunicorn\n",
}


@dataclass(frozen=True, kw_only=True)
class Things:
    """The ids that addresses are made of, and where a repository is."""

    project: str
    empty: str
    good: str
    bad: str
    team: str
    repository: str


def make(local: Platform, git: GitServer) -> Things:
    owner = User.register(local, ADMIN)
    project = owner.create_project(LONG, publish(git, "access", ROOT / "examples/flask"))["id"]
    empty = owner.create_project("empty", git.url("access"))["id"]
    _configure(owner, project)
    good, bad = _deploy(owner, git, project)
    _hook(owner, git, project)
    team = _account(owner, project)
    git.create("asking", ASKING)
    _many(local, git)
    User.register(local, NEW)
    return Things(
        project=project, empty=empty, good=good, bad=bad, team=team, repository=git.url("asking")
    )


def _configure(owner: User, project: str) -> None:
    variables = f"/projects/{project}/environments/production/variables"
    dotenv = "DATABASE_URL=x\nA_NAME_THAT_IS_QUITE_LONG_INDEED=y\n"
    owner.call("PUT", variables, {"dotenv": dotenv})
    owner.call("POST", f"/projects/{project}/environments", {"name": "staging"})
    owner.call("POST", f"/projects/{project}/deploy-key")


def _deploy(owner: User, git: GitServer, project: str) -> tuple[str, str]:
    """Two releases, so that one can be brought back, visitors, and what failed after them."""
    owner.deploy(project)
    good = owner.deploy(project)
    for _ in range(20):
        request("GET", f"http://{good['url']}/")
    git.commit("access", BROKEN, "Break it " + "very " * 30)
    bad = owner.request_deployment(project)["id"]
    assert owner.wait(bad)["status"] == "failed"
    return str(good["id"]), bad


def _hook(owner: User, git: GitServer, project: str) -> None:
    """With a delivery, and one whose pushes are paused."""
    made = owner.call("POST", f"/projects/{project}/hooks", {"provider": "github"})
    staging = {"provider": "gitlab", "environment": "staging"}
    owner.call("POST", f"/projects/{project}/hooks", staging)
    repository = {"full_name": "a/b", "clone_url": git.url("access"), "default_branch": "main"}
    deliver(made, {"ref": "refs/heads/other", "after": "5f" * 20, "repository": repository})
    paused = {"auto_deploy": False}
    owner.call("PATCH", f"/projects/{project}/environments/staging", paused)


def _account(owner: User, project: str) -> str:
    team = owner.call("POST", "/teams", {"name": "People who look after " + LONG[:50]})["id"]
    owner.call("POST", f"/teams/{team}/invitations", {"email": f"{LONG[:50]}@example.com"})
    owner.call("POST", "/auth/tokens", {"name": "CI", "scope": "deploy", "project_id": project})
    owner.call("POST", "/auth/tokens", {"name": LONG, "scope": "read"})
    return str(team)


def _many(local: Platform, git: GitServer) -> None:
    many = User.register(local, MANY)
    for number in range(COUNT):
        many.create_project(f"{number}-{LONG}"[:80], git.url("access"))
