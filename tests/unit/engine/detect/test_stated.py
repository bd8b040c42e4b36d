"""What files and settings say, and which of them wins."""

from pathlib import Path

import pytest

from autostack.engine.errors import (
    FamilyUnavailable,
    NothingDetected,
    PlanFileInvalid,
    RootNotFound,
)
from autostack.engine.plan import Caps, Check, Family, Overrides
from tests.unit.engine.detect.trees import plan_of

FLASK = {
    "requirements.txt": "flask==3\n",
    "app.py": "from flask import Flask\napp = Flask(__name__)\n@app.get('/health')\ndef f(): ...\n",
}


def test_a_procfile_brings_web_workers_and_release(tmp_path: Path) -> None:
    lines = "# all\nweb: gunicorn -w 2 app:app\nworker: python w.py\nrelease: python m.py\n"

    plan = plan_of(tmp_path, {**FLASK, "Procfile": lines})

    assert [(process.name, process.command[-1]) for process in plan.processes] == [
        ("web", "gunicorn -w 2 app:app"),
        ("worker", "python w.py"),
    ]
    assert plan.release_command == ("sh", "-c", "python m.py")
    assert plan.processes[1].check is None
    assert plan.build[0].command[-1] == "requirements.txt"


def test_a_higher_file_wins_and_settings_win_over_all(tmp_path: Path) -> None:
    files = {
        **FLASK,
        "Procfile": "web: one\nworker: low\n",
        "app.json": (
            '{"healthchecks": {"web": [{"path": "/json"}]},'
            ' "formation": {"worker": {"quantity": 3}}}'
        ),
        "autostack.yaml": (
            "start: two\ncheck: /yaml\nprocesses:\n  worker: {command: high, single: true}\n"
        ),
    }

    filed = plan_of(tmp_path, files)
    overridden = plan_of(
        tmp_path, files, overrides=Overrides(start_command="three", check_path="up")
    )

    assert filed.web is not None
    assert filed.web.check is not None
    assert (filed.web.command[-1], filed.web.check.path) == ("two", "/yaml")
    worker = filed.processes[1]
    assert (worker.command[-1], worker.count, worker.single) == ("high", 3, True)
    assert overridden.web is not None
    assert overridden.web.check is not None
    assert (overridden.web.command[-1], overridden.web.check.path) == ("three", "/up")


def test_a_health_route_in_the_code_is_what_is_asked(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, FLASK)

    [decision] = [item for item in plan.decisions if item.subject == "check"]

    assert decision.value == "/health"
    assert decision.evidence is not None
    assert decision.evidence.line == 3


def test_a_stated_build_takes_the_place_of_the_detected_one(tmp_path: Path) -> None:
    files = {
        "package.json": '{"scripts": {"build": "x", "start": "node y"}}',
        "package-lock.json": "{}",
    }

    plan = plan_of(tmp_path, files, overrides=Overrides(build_command="make all"))

    assert [step.command for step in plan.build][1:] == [("sh", "-c", "make all")]
    assert "--include=dev" in plan.build[0].command


def test_a_publish_setting_makes_it_a_site(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, FLASK, overrides=Overrides(publish="../site/"))

    assert (plan.publish, plan.web) == ("site", None)


def test_a_procfile_alone_is_enough(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"Procfile": "web: ./serve\n"})

    assert (plan.family, plan.build) == (Family.PROCFILE, ())


def test_an_index_file_is_a_site(tmp_path: Path) -> None:
    assert plan_of(tmp_path, {"public/index.html": ""}).publish == "public"


def test_nothing_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        NothingDetected, match=r"Procfile.*requirements\.txt.*package\.json.*index\.html"
    ):
        plan_of(tmp_path, {"README.md": "x"})


def test_a_dockerfile_alone_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(FamilyUnavailable) as refused:
        plan_of(tmp_path, {"Dockerfile": "FROM x"})

    assert "Procfile" in refused.value.hint


@pytest.mark.attack("P01")
@pytest.mark.parametrize("root", ["gone", "../..", "a/../../b", "link", "file"])
def test_a_root_that_is_no_directory_of_the_tree_is_refused(tmp_path: Path, root: str) -> None:
    (tmp_path / "link").symlink_to("/etc")

    with pytest.raises(RootNotFound):
        plan_of(tmp_path, {"file": ""}, overrides=Overrides(root=root))


@pytest.mark.attack("B09", "B19", "B20")
@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("Procfile", "web: x\nno colon here\n", "Procfile:2"),
        ("Procfile", "we b: x\n", "Procfile:1"),
        ("Procfile", "".join(f"p{n}: x\n" for n in range(30)), "Procfile:21"),
        ("autostack.yaml", "start: [a\n", "autostack.yaml:2"),
        ("autostack.yaml", "- a\n", "autostack.yaml:1"),
        ("autostack.yaml", "strat: x\n", "unknown key 'strat'"),
        ("autostack.yaml", "start: {a: 1}\n", "`start` must be a text"),
        ("autostack.yaml", "processes: {w: {command: x, count: 999}}\n", "0 to 50"),
        ("autostack.yaml", "env: {'A B': x}\n", "env.A B"),
        ("autostack.yaml", "processes: {w: {command: x, memory: lots}}\n", "as in `512MB`"),
        ("autostack.yaml", "processes: {w: {command: x, memory: 1}}\n", "32 to 1048576"),
        ("autostack.yaml", "processes: {w: {command: x, cpu: true}}\n", "`cpu` must be"),
        ("autostack.yaml", "processes: {w: {command: x, pids: 9.5}}\n", "whole number"),
        ("autostack.yaml", "a: &a [x]\nstart: *a\n", "aliases"),
        ("autostack.yaml", "start: !!python/object/apply:os.system [id]\n", "autostack.yaml:1"),
        ("autostack.yaml", "[" * 5000, "autostack.yaml"),
        ("autostack.yaml", "#" * 70_000, "larger than 64 KB"),
        ("app.json", '{"env": {\n', "app.json:2"),
        ("app.json", "[" * 100_000, "nested too deeply"),
        ("package.json", "{,}", "package.json:1"),
        ("pyproject.toml", "[project\n", "pyproject.toml"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    tmp_path: Path, name: str, text: str, place: str
) -> None:
    with pytest.raises(PlanFileInvalid) as refused:
        plan_of(tmp_path, {"index.html": "", name: text})

    assert place in str(refused.value)


def test_an_app_json_of_something_else_is_left_alone(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"index.html": "", "app.json": '{"expo": {"name": "x"}}'})

    assert plan.family is Family.STATIC


def test_committed_secrets_and_databases_are_pointed_out(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"index.html": "", ".env": "A=1", "data/shop.sqlite3": ""})

    assert [warning.partition(" ")[0] for warning in plan.warnings] == [
        ".env",
        "data/shop.sqlite3:",
    ]


def test_what_a_process_may_use_is_stated_with_its_line(tmp_path: Path) -> None:
    text = """processes:
  web:
    command: serve
    memory: 1.5GB
  worker: {command: work, cpu: 0.5, pids: 64}
"""

    plan = plan_of(tmp_path, {"index.html": "", "autostack.yaml": text})

    caps = {process.name: process.caps for process in plan.processes}
    assert caps == {"web": Caps(memory_mb=1536), "worker": Caps(cpu=0.5, pids=64)}
    proofs = {one.subject: (one.value, one.evidence.line) for one in plan.decisions if one.evidence}
    assert proofs["memory of web"] == ("1536 MB", 4)
    assert proofs["cpu of worker"] == ("0.5", 5)
    assert proofs["pids of worker"] == ("64", 5)


def test_settings_rank_above_the_file_for_each_cap(tmp_path: Path) -> None:
    text = "processes: {web: {command: serve, memory: 256, pids: 99}}\n"
    settings = Overrides(limits={"web": Caps(memory_mb=1024)})

    plan = plan_of(tmp_path, {"index.html": "", "autostack.yaml": text}, overrides=settings)

    assert plan.web is not None
    assert plan.web.caps == Caps(memory_mb=1024, pids=99)
    [memory] = [one for one in plan.decisions if one.subject == "memory of web"]
    assert (memory.value, memory.why) == ("1024 MB", "set in the project's settings")


def test_a_detected_command_gets_the_caps_that_are_stated(tmp_path: Path) -> None:
    files = {
        "app.py": "from flask import Flask\napp = Flask(__name__)\n",
        "requirements.txt": "flask\n",
        "autostack.yaml": "processes: {web: {memory: 300}}\n",
    }

    plan = plan_of(tmp_path, files)

    assert plan.web is not None
    assert plan.web.caps.memory_mb == 300


def test_a_check_has_its_own_times_and_may_be_a_connection_or_a_command(tmp_path: Path) -> None:
    slow = "check:\n  path: ready\n  grace: 300\n  interval: 2\n"
    silent = "check: {tcp: true, timeout: 1.5}\n"
    inside = "check: {command: ./ready --db, grace: 5}\n"

    [asked] = [plan_of(tmp_path / "a", {**FLASK, "autostack.yaml": slow}).web]
    [connected] = [plan_of(tmp_path / "b", {**FLASK, "autostack.yaml": silent}).web]
    [told] = [plan_of(tmp_path / "c", {**FLASK, "autostack.yaml": inside}).web]

    assert asked is not None
    assert asked.check == Check(path="/ready", grace=300, interval=2)
    assert connected is not None
    assert connected.check == Check(path=None, timeout=1.5)
    assert told is not None
    assert told.check == Check(path=None, command=("sh", "-c", "./ready --db"), grace=5)


def test_a_path_of_the_settings_keeps_the_times_of_the_file(tmp_path: Path) -> None:
    files = {**FLASK, "autostack.yaml": "check: {tcp: true, grace: 90}\n"}

    plan = plan_of(tmp_path, files, overrides=Overrides(check_path="/up"))

    assert plan.web is not None
    assert plan.web.check == Check(path="/up", grace=90)
    shown = {one.subject: one.value for one in plan.decisions}
    assert (shown["check"], shown["time to get ready"]) == ("/up", "90 s")


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("[/a]", "a path or a map"),
        ("{url: /a}", "'url'"),
        ("{path: /a, tcp: true}", "`tcp: true`"),
        ("{command: 'true', tcp: true}", "or a `command`"),
        ("{command: [true]}", "`check.command` must be a text"),
        ("{tcp: 5}", "true or false"),
        ("{grace: 0}", "1.0 to 1800.0"),
        ("{grace: .nan}", "1.0 to 1800.0"),
        ("{interval: soon}", "0.05 to 60.0"),
        ("{1: 2}", "'1'"),
    ],
)
def test_a_check_that_cannot_be_read_is_refused_by_its_key(
    tmp_path: Path, check: str, said: str
) -> None:
    with pytest.raises(PlanFileInvalid, match=said):
        plan_of(tmp_path, {**FLASK, "autostack.yaml": f"check: {check}\n"})
