"""Outputs as the programs really print them."""

import time
from dataclasses import replace

import pytest

from autostack.engine import errors
from autostack.engine.diagnose import Scene, diagnose
from autostack.engine.plan import Evidence, Family, MissingVariable, Plan, Process
from autostack.engine.release import MIB, Exit, Listener, Step
from autostack.engine.run import RememberingLog
from tests.fakes import FakeLog

FLASK_MISSING = """Traceback (most recent call last):
  File "/app/app.py", line 1, in <module>
    from flask import Flask
ModuleNotFoundError: No module named 'flask'"""
NODE_MISSING = """node:internal/modules/cjs/loader:1228
  throw err;
Error: Cannot find module 'express'
Require stack:
- /app/server.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1225:15)
  code: 'MODULE_NOT_FOUND',
Node.js v22.11.0"""
ESM_MISSING = (
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'fastify' imported from /app/index.js"
)
NODE_FILE = "Error: Cannot find module './routes/users'"
GUNICORN_ATTRIBUTE = """[2026-11-24 02:00:00 +0000] [7] [INFO] Starting gunicorn 23.0.0
Failed to find attribute 'application' in 'app'.
[2026-11-24 02:00:00 +0000] [7] [ERROR] Worker (pid:9) exited with code 4"""
GUNICORN_MODULE = """  File "<frozen importlib._bootstrap>", line 1140, in _find_and_load_unlocked
ModuleNotFoundError: No module named 'wsgi'
[2026-11-24 02:00:00 +0000] [7] [ERROR] Worker (pid:9) exited with code 3"""
UVICORN = 'ERROR:    Error loading ASGI app. Could not import module "main".'
NPM_SCRIPT = 'npm error Missing script: "start"'
SHELL = "sh: 1: gunicorn: not found"
KEY_ERROR = """  File "<frozen os>", line 679, in __getitem__
KeyError: 'DATABASE_URL'"""
DJANGO = "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty."
NODE_VARIABLE = "Error: Missing required environment variable: STRIPE_API_KEY"
PYDANTIC = """pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings
database_url
  Field required [type=missing, input_value={}, input_type=dict]"""
ENV_SCHEMA = """  params: [Object],
        message: "must have required property 'COOKIE_SECRET'\""""
ENVALID = """ Missing environment variables:
    MAIL_HOST: eg. mail.example.com"""
NODE_HEAP = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"
IN_USE = "OSError: [Errno 98] Address already in use"
NODE_IN_USE = "Error: listen EADDRINUSE: address already in use :::3000"
DISK = "OSError: [Errno 28] No space left on device: '/app/cache'"

PLAN = Plan(
    family=Family.PYTHON,
    processes=(Process(name="web", command=("sh", "-c", "gunicorn wsgi:app --bind :$PORT")),),
)
SCENE = Scene(step=Step.CHECK, error=errors.Crashed("web", 1), exit=Exit(code=1), plan=PLAN)


@pytest.mark.parametrize(
    ("printed", "code", "told"),
    [
        (FLASK_MISSING, "missing_module", "'flask'"),
        (NODE_MISSING, "missing_module", "'express'"),
        (ESM_MISSING, "missing_module", "'fastify'"),
        (NODE_FILE, "missing_module", "'./routes/users'"),
        (GUNICORN_ATTRIBUTE, "start_command", "gunicorn wsgi:app"),
        (GUNICORN_MODULE, "start_command", "gunicorn wsgi:app"),
        (UVICORN, "start_command", "gunicorn"),
        (NPM_SCRIPT, "start_command", "gunicorn"),
        (SHELL, "start_command", "gunicorn"),
        (KEY_ERROR, "unset_variable", "DATABASE_URL"),
        (DJANGO, "unset_variable", "SECRET_KEY"),
        (NODE_VARIABLE, "unset_variable", "STRIPE_API_KEY"),
        (PYDANTIC, "unset_variable", "DATABASE_URL"),
        (ENV_SCHEMA, "unset_variable", "COOKIE_SECRET"),
        ('Error: "JWT_SECRET" is required', "unset_variable", "JWT_SECRET"),
        (ENVALID, "unset_variable", "MAIL_HOST"),
        (NODE_HEAP, "out_of_memory", "memory"),
        (IN_USE, "port", "already in use"),
        (NODE_IN_USE, "port", "already in use"),
        (DISK, "disk", "disk"),
        ("Segmentation fault", "crash_at_start", "exit code 1"),
    ],
)
def test_a_crash_is_explained_by_what_was_printed(printed: str, code: str, told: str) -> None:
    found = diagnose(replace(SCENE, lines=tuple(printed.splitlines())))

    assert found.code == code
    assert told in found.summary
    assert found.proof
    assert found.proof in printed.replace("\n  ", ": ")
    assert found.todo


@pytest.mark.parametrize(
    ("printed", "code", "told"),
    [
        (
            "  cause: Because flassk was not found in the package registry and you require x,",
            "package_not_found",
            "no flassk.",
        ),
        (
            "  cause: Because there is no version of flask==99.0 and you require flask==99.0",
            "package_not_found",
            "no flask==99.0.",
        ),
        (
            "npm error 404  'nosuchpkg@^1' is not in this registry.",
            "package_not_found",
            "nosuchpkg",
        ),
        ("npm error notarget No matching version found for x@9.", "package_not_found", "no x@9."),
        ("sh: 1: tsc: not found", "program_missing", "'tsc'"),
        ("error: command '/usr/bin/gcc' failed with exit code 1", "compiler_missing", "compiled"),
        ("Error: pg_config executable not found.", "compiler_missing", "compiled"),
        ("gyp ERR! build error", "compiler_missing", "compiled"),
        ("error: Failed to build `greenlet==1.1.2`", "package_not_built", "greenlet==1.1.2"),
        (" ERR_PNPM_OUTDATED_LOCKFILE  Cannot install", "lock_outdated", "lock file"),
        ("npm error ERESOLVE could not resolve", "versions_conflict", "exclude each other"),
        ("Error: getaddrinfo EAI_AGAIN fonts.example", "host_unreachable", "fonts.example"),
        ("TypeError: no such loader\n    at x\n\nNode.js v22.1.0", "build_failed", "exit code 1"),
    ],
)
def test_a_failed_build_is_explained_by_what_was_printed(
    printed: str, code: str, told: str
) -> None:
    error = errors.BuildFailed("Install packages", 1)

    found = diagnose(Scene(step=Step.BUILD, error=error, lines=tuple(printed.splitlines())))

    assert found.code == code
    assert told in found.summary
    assert found.proof == printed.splitlines()[0].strip()


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("Procfile", "Correct it in Procfile:3"),
        ("package.json", "Correct it in package.json:3"),
        ("app.py", "chosen because of app.py:3. Add a Procfile"),
        (None, "in the project's settings"),
    ],
)
def test_the_start_command_is_corrected_where_it_stands(file: str | None, told: str) -> None:
    proof = Evidence(file=file, line=3) if file else None
    web = Process(name="web", command=("sh", "-c", "gunicorn wsgi:app"), evidence=proof)

    found = diagnose(replace(SCENE, lines=(SHELL,), plan=replace(PLAN, processes=(web,))))

    assert told in found.todo


def test_what_every_environment_once_had_is_named_with_its_package() -> None:
    found = diagnose(
        replace(SCENE, lines=("ModuleNotFoundError: No module named 'pkg_resources'",))
    )

    assert "setuptools<81" in found.todo


def test_a_setup_script_for_an_older_setuptools_is_called_that() -> None:
    told = "ImportError: cannot import name 'convert_path' from 'setuptools' (/x/__init__.py)"
    lines = ("error: Failed to build `shop==0.1`", told)

    found = diagnose(
        Scene(step=Step.BUILD, error=errors.BuildFailed("Install packages", 1), lines=lines)
    )

    assert found.proof == told
    assert "older setuptools" in found.todo


def test_a_package_that_does_not_compile_is_named_below_whatever_its_compiler_says() -> None:
    log = RememberingLog(FakeLog())
    log.output(b"error: Failed to build `shop==0.1`\n", step=Step.BUILD)
    log.output(b"shop.c:12:3: note: expanded here\n" * 400, step=Step.BUILD)
    log.output(b"  shop.c:12:3: error: no member named 'price'\n", step=Step.BUILD)
    log.output(b"hint: Build failures usually indicate a problem\n", step=Step.BUILD)

    found = diagnose(
        Scene(step=Step.BUILD, error=errors.BuildFailed("Install", 1), lines=log.last())
    )

    assert "shop==0.1" in found.summary
    assert found.proof == "shop.c:12:3: error: no member named 'price'"


def test_an_unexplained_crash_names_the_variables_that_are_read_and_not_set() -> None:
    where = Evidence(file="config.py", line=3)
    plan = replace(PLAN, missing=(MissingVariable(name="STAGE", required=True, evidence=where),))

    found = diagnose(replace(SCENE, lines=("ValueError: Unknown stage: `None`",), plan=plan))

    assert found.code == "crash_at_start"
    assert found.todo.endswith("Variables it reads that are not set: STAGE (config.py:3).")


def test_a_start_file_that_is_not_there_is_a_matter_of_the_start_command() -> None:
    plan = replace(PLAN, processes=(Process(name="web", command=("node", "servr.js")),))
    lines = ("Error: Cannot find module '/app/servr.js'", "Node.js v22.11.0")

    found = diagnose(replace(SCENE, lines=lines, plan=plan))

    assert found.code == "start_command"
    assert "node servr.js" in found.summary


def test_a_program_that_only_ends_is_told_that_it_has_to_stay() -> None:
    scene = replace(SCENE, error=errors.Crashed("web", 0), exit=Exit(code=0), lines=("hello",))

    assert diagnose(scene).code == "ended_by_itself"


def unhealthy(*listeners: Listener) -> Scene:
    error = errors.Unhealthy("web", 60, "connection refused")
    return Scene(step=Step.CHECK, error=error, port=8000, listeners=listeners)


def test_an_app_that_listens_nowhere_is_told_about_the_port() -> None:
    assert diagnose(unhealthy()).code == "port"


def test_an_app_on_another_port_is_named_with_it() -> None:
    found = diagnose(unhealthy(Listener(host="0.0.0.0", port=3000)))

    assert found.code == "port"
    assert "0.0.0.0:3000" in found.summary


def test_an_app_on_its_own_loopback_is_told_to_bind_all() -> None:
    found = diagnose(unhealthy(Listener(host="127.0.0.1", port=8000)))

    assert found.code == "bind_address"
    assert found.todo == "Listen on 0.0.0.0."


def test_an_app_that_listens_but_is_silent_is_not_told_about_ports() -> None:
    assert diagnose(unhealthy(Listener(host="0.0.0.0", port=8000))).code == "unhealthy"


def test_an_app_that_answers_with_errors_shows_the_error_and_what_is_not_pinned() -> None:
    scene = Scene(
        step=Step.CHECK,
        error=errors.Unhealthy("web", 60, "HTTP 500"),
        port=8000,
        listeners=(Listener(host="0.0.0.0", port=8000),),
        lines=('  File "/app/main.py", line 3, in index', "TypeError: unhashable type: 'dict'"),
        plan=replace(PLAN, warnings=("requirements.txt does not pin every version",)),
    )

    found = diagnose(scene)

    assert found.code == "server_error"
    assert found.summary == "The app runs, but answers / with HTTP 500."
    assert found.proof == "TypeError: unhashable type: 'dict'"
    assert "requirements.txt does not pin" in found.todo


UNSET = MissingVariable(
    name="DATABASE_URL",
    required=False,
    evidence=Evidence(file="shop/db.py", line=16, text="os.getenv('DATABASE_URL')"),
)


def test_nothing_where_an_address_belongs_names_the_variable_that_is_read_for_it() -> None:
    other = replace(UNSET, name="DEBUG", evidence=Evidence(file="shop/settings.py", line=1))
    lines = (
        '  File "/app/shop/db.py", line 18, in <module>',
        "sqlalchemy.exc.ArgumentError: Expected string or URL object, got None",
    )

    found = diagnose(replace(SCENE, lines=lines, plan=replace(PLAN, missing=(other, UNSET))))

    assert found.code == "unset_variable"
    assert "DATABASE_URL" in found.summary
    assert found.proof.endswith("(shop/db.py:16)")


def test_an_address_that_is_nothing_names_a_variable_that_holds_an_address() -> None:
    other = replace(UNSET, name="API_KEY", evidence=Evidence(file="a.ts", line=1))
    lines = ("MongoParseError: No hostname or hostnames provided in connection string",)

    found = diagnose(replace(SCENE, lines=lines, plan=replace(PLAN, missing=(other, UNSET))))

    assert "DATABASE_URL" in found.summary


@pytest.mark.parametrize(
    "line",
    [
        "Error: querySrv ENOTFOUND _mongodb._tcp.cluster0.example.mongodb.net",
        "Error: connect ECONNREFUSED 127.0.0.1:5432",
        'psycopg.OperationalError: could not translate host name "db" to address',
        "redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.",
    ],
)
@pytest.mark.parametrize(
    "error", [errors.Crashed("web", 1), errors.Unhealthy("web", 60, "connection refused")]
)
def test_a_service_out_of_reach_is_named_with_the_variables_that_may_lead_to_it(
    line: str, error: Exception
) -> None:
    plan = replace(PLAN, missing=(UNSET,))

    lines = (line, "  errno: undefined,", "  code: 'ENOTFOUND',")
    found = diagnose(replace(SCENE, error=error, lines=lines, plan=plan, port=8000))

    assert found.code == "service_unreachable"
    assert found.proof == line
    assert "DATABASE_URL (shop/db.py:16)" in found.todo


def test_an_app_on_another_port_is_told_so_whatever_else_it_could_not_reach() -> None:
    scene = unhealthy(Listener(host="0.0.0.0", port=3000))

    assert diagnose(replace(scene, lines=("connect ECONNREFUSED redis",))).code == "port"


@pytest.mark.parametrize(
    "printed",
    [
        '  File "/app/app.py", line 3\n    def f(:\n          ^\nSyntaxError: invalid syntax',
        "/app/app.py:3\nconst = 1\n      ^\n\nSyntaxError: Unexpected token '='\n    at wrap",
    ],
)
def test_a_syntax_error_is_named_with_its_place(printed: str) -> None:
    found = diagnose(replace(SCENE, lines=tuple(printed.splitlines())))

    assert found.code == "syntax_error"
    assert "/app/app.py" in found.proof
    assert "SyntaxError: " in found.proof


def test_memory_is_recognised_by_the_kernels_word_alone() -> None:
    ended = Exit(code=137, signal=9, oom=True)

    assert diagnose(replace(SCENE, exit=ended, lines=("starting",))).code == "out_of_memory"


def test_a_kill_for_memory_names_the_limit() -> None:
    ended = Exit(code=137, signal=9, oom=True)

    found = diagnose(replace(SCENE, exit=ended, memory=512 * MIB, lines=("starting",)))

    assert found.summary == "The app was killed: out of memory at its limit of 512 MB."
    assert "autostack limits" in found.todo


def test_a_build_killed_for_memory_names_its_limit_and_the_setting() -> None:
    scene = replace(SCENE, step=Step.BUILD, error=errors.BuildOutOfMemory(4096 * MIB))

    found = diagnose(scene)

    assert found.code == "out_of_memory"
    assert found.summary == "The build needed more than 4096 MB of memory."
    assert "AUTOSTACK_BUILD_MEMORY_MB" in found.todo


def test_a_failing_release_command_shows_its_error() -> None:
    lines = ("Running migrations", "sqlalchemy.exc.OperationalError: no such column", "exit")
    error = errors.ReleaseCommandFailed(1)

    found = diagnose(Scene(step=Step.RELEASE, error=error, lines=lines))

    assert found.code == "release_command_failed"
    assert found.proof == lines[1]


def test_a_release_command_without_its_database_is_told_so_and_the_variable_for_it() -> None:
    told = 'psycopg2.OperationalError: connection to server on socket "/run/x" failed: No such file'
    names = ("AWS_KEY", "BUCKET", "CORS", "DATABASE_URL")
    missing = tuple(
        MissingVariable(name=name, required=False, evidence=Evidence(file="config.py", line=line))
        for line, name in enumerate(names, start=1)
    )
    error = errors.ReleaseCommandFailed(1)
    plan = replace(PLAN, missing=missing)

    found = diagnose(Scene(step=Step.RELEASE, error=error, lines=(told,), plan=plan))

    assert found.code == "service_unreachable"
    assert found.summary.startswith("The release command could not reach a database")
    assert found.proof == told
    assert found.todo.endswith("not set: DATABASE_URL (config.py:4).")


def test_a_crash_without_a_word_names_the_variables_its_code_requires() -> None:
    place = Evidence(file="env.ts", line=25)
    missing = (
        MissingVariable(name="COOKIE_SECRET", required=True, evidence=place),
        MissingVariable(name="MYSQL_USER", required=True, evidence=place),
        MissingVariable(name="SOFT", required=False, evidence=place),
    )
    scene = replace(SCENE, plan=replace(PLAN, missing=missing))

    silent = diagnose(replace(scene, variables=frozenset({"COOKIE_SECRET"})))
    talking = diagnose(replace(scene, lines=("Segmentation fault",)))
    complete = diagnose(replace(scene, variables=frozenset({"COOKIE_SECRET", "MYSQL_USER"})))

    assert silent.code == "unset_variable"
    assert silent.summary.endswith("not set: MYSQL_USER.")
    assert silent.proof == "MYSQL_USER is read in env.ts:25; exit code 1"
    assert (talking.code, complete.code) == ("crash_at_start", "crash_at_start")


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("/app/.venv/lib/python3.11/site-packages/flask/__init__.py", "as old as 'flask'"),
        ("/app/app.py", "the code was written for"),
    ],
)
def test_packages_that_do_not_go_together_are_named(file: str, told: str) -> None:
    error = (
        "ImportError: cannot import name 'escape' from 'jinja2' "
        "(/app/.venv/lib/python3.11/site-packages/jinja2/__init__.py)"
    )
    lines = (f'  File "{file}", line 14, in <module>', "    from jinja2 import escape", error)

    found = diagnose(replace(SCENE, lines=lines))

    assert found.code == "unfit_module"
    assert "'jinja2' has no 'escape'" in found.summary
    assert found.proof == error
    assert told in found.todo


def test_a_denied_clone_says_how_to_let_us_in() -> None:
    error = errors.RepositoryDenied("https://example.com/shop.git")

    found = diagnose(Scene(step=Step.FETCH, error=error))

    assert found.code == "clone_denied"
    assert "deploy key" in found.todo


def test_a_variable_that_is_set_is_not_called_unset() -> None:
    scene = replace(
        SCENE, lines=("KeyError: 'DATABASE_URL'",), variables=frozenset({"DATABASE_URL"})
    )

    assert diagnose(scene).code == "crash_at_start"


def test_an_error_nobody_knows_is_ours() -> None:
    found = diagnose(Scene(step=Step.BUILD, error=ValueError("secret detail")))

    assert found.code == "platform_failed"
    assert "secret detail" not in f"{found}"


@pytest.mark.parametrize("flood", ["Z", "A_", "error: ", "a.", "a/", " ", "KeyError: "])
def test_no_line_is_so_long_that_the_rules_take_a_while(flood: str) -> None:
    lines = ((flood * 16_384)[:16_384],) * 40
    scene = Scene(step=Step.CHECK, error=errors.Crashed("web", 3), lines=lines)

    begun = time.process_time()
    diagnose(scene)

    assert time.process_time() - begun < 2
