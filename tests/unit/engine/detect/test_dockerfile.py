"""A Dockerfile, where an engine is there to build it."""

from pathlib import Path

from autostack.engine.detect import Tree, detect
from autostack.engine.plan import Family, Overrides, Plan

FLASK = {
    "app.py": "from flask import Flask\napp = Flask(__name__)\n",
    "requirements.txt": "flask\n",
}
DOCKERFILE = "# comment\nFROM python\nCMD python app.py\n"


def plan_of(root: Path, files: dict[str, str], *, images: bool = True, publish: str = "") -> Plan:
    for name, text in files.items():
        (root / name).write_text(text)
    overrides = Overrides(publish=publish or None)
    with Tree(root) as tree:
        return detect(tree, overrides=overrides, variables=(), images=images)


def test_it_ranks_above_what_could_be_found_out(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {**FLASK, "Dockerfile": DOCKERFILE})

    assert plan.family is Family.DOCKERFILE
    assert plan.build == ()
    assert [(process.name, process.command) for process in plan.processes] == [("web", ())]
    proofs = {one.subject: one.evidence and one.evidence.line for one in plan.decisions}
    assert proofs == {"family": 2, "build": 2, "start": 3}


def test_without_an_engine_it_is_not_looked_at(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {**FLASK, "Dockerfile": DOCKERFILE}, images=False)

    assert plan.family is Family.PYTHON


def test_what_a_procfile_says_takes_the_place_of_the_image_s_own_command(tmp_path: Path) -> None:
    procfile = "web: serve\nworker: work\nrelease: migrate\n"

    plan = plan_of(tmp_path, {"Dockerfile": DOCKERFILE, "Procfile": procfile})

    commands = {process.name: process.command for process in plan.processes}
    assert commands == {"web": ("sh", "-c", "serve"), "worker": ("sh", "-c", "work")}
    assert plan.release_command == ("sh", "-c", "migrate")


def test_a_directory_to_publish_needs_no_container(tmp_path: Path) -> None:
    files = {"Dockerfile": DOCKERFILE, "index.html": "<p>hi</p>"}

    assert plan_of(tmp_path, files, publish=".").family is not Family.DOCKERFILE
