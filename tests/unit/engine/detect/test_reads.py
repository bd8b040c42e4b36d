"""Variables the code reads and nobody set."""

from pathlib import Path

from tests.unit.engine.detect.trees import plan_of

PYTHON = """import os
from decouple import config
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from flask import Flask

app = Flask(__name__)
A = os.environ["NEEDED"]
B = os.environ.get("SOFT", "x")
C = os.getenv("FALLS") or "y"
D = os.getenv("BARE")
os.environ["WRITTEN"] = "1"
P = os.environ["PORT"]
K = config("KEYED")
L = config("LOOSE", default=1)
try:
    E = os.environ["TRIED"]
except KeyError:
    pass


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="shop_")
    dsn: str
    size: int = 1
    level: str = Field(default="x")
    token: str = Field(..., min_length=1)
"""
NODE = """const { CUT, KEPT = 'x' } = process.env;
connect(process.env.NEEDED);
const soft = process.env.SOFT || 'x', port = process.env.PORT;
if (process.env.FLAG) start();
if (!process.env.GUARDED) throw 1;
const b = process.env['QUOTED'] ?? 1;
// process.env.COMMENTED
require('http').createServer().listen(process.env.PORT);
"""


def missing(top: Path, files: dict[str, str], *variables: str) -> dict[str, tuple[bool, int]]:
    plan = plan_of(top, files, variables=variables)
    return {item.name: (item.required, item.evidence.line) for item in plan.missing}


def test_python_variables_are_found_with_their_lines(tmp_path: Path) -> None:
    found = missing(tmp_path, {"requirements.txt": "flask==3\n", "app.py": PYTHON})

    assert found == {
        "NEEDED": (True, 8),
        "SOFT": (False, 9),
        "FALLS": (False, 10),
        "BARE": (True, 11),
        "KEYED": (True, 14),
        "LOOSE": (False, 15),
        "TRIED": (False, 17),
        "SHOP_DSN": (True, 24),
        "SHOP_SIZE": (False, 25),
        "SHOP_LEVEL": (False, 26),
        "SHOP_TOKEN": (True, 27),
    }


def test_node_variables_are_found_with_their_lines(tmp_path: Path) -> None:
    found = missing(tmp_path, {"package.json": "{}", "index.js": NODE})

    assert found == {
        "CUT": (True, 1),
        "KEPT": (False, 1),
        "NEEDED": (True, 2),
        "SOFT": (False, 3),
        "FLAG": (False, 4),
        "GUARDED": (False, 5),
        "QUOTED": (False, 6),
    }


def test_what_is_set_is_not_missing(tmp_path: Path) -> None:
    files = {"requirements.txt": "flask==3\n", "app.py": PYTHON}

    assert "NEEDED" not in missing(tmp_path, files, "NEEDED")


def test_an_example_file_never_shows_the_value_it_holds(tmp_path: Path) -> None:
    files = {"index.html": "", ".env.example": "# x\nexport TOKEN=hunter2\n"}

    plan = plan_of(tmp_path, files)

    assert [(item.name, item.required) for item in plan.missing] == [("TOKEN", False)]
    assert "hunter2" not in repr(plan)


def test_app_json_says_what_must_be_set(tmp_path: Path) -> None:
    document = '{"env": {\n"MUST": {"description": "x"},\n"MAY": {"required": false},\n"HAS": "v"}}'

    plan = plan_of(tmp_path, {"index.html": "", "app.json": document})

    assert [(item.name, item.evidence.line) for item in plan.missing] == [("MUST", 2)]
    assert plan.env["HAS"] == "v"


def test_a_reader_that_another_file_makes_is_known(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "flask==3\ndjango-environ==0.12\n",
        "config/__init__.py": "",
        "config/env.py": "import environ\nenv = environ.Env()\n",
        "config/base.py": "from config.env import env\nD = env.db('DATABASE_URL', default='x')\n",
        "config/near.py": "from .env import env\nK = env('KEY')\n",
        "config/other.py": "from config.elsewhere import env\nN = env('NEVER')\n",
        "app.py": "from flask import Flask\napp = Flask(__name__)\n",
    }

    assert missing(tmp_path, files) == {"KEY": (True, 2), "DATABASE_URL": (False, 2)}


SCHEMA = """import env from '@fastify/env'
const schema = {
  required: [
    'HOST_NAME',
    "KEY"
  ],
  properties: {
    HOST_NAME: { type: 'string', default: 'x' },
    KEY: { type: 'string' },
    FREE: { type: 'string' }
  }
}
"""


def test_what_a_schema_for_the_environment_requires_is_read(tmp_path: Path) -> None:
    package = '{"scripts": {"start": "node app.js"}, "dependencies": {"fastify": "5"}}'
    server = "require('http').createServer().listen(process.env.PORT)\n"
    files = {"package.json": package, "app.js": server}

    found = missing(tmp_path / "a", {**files, "env.ts": SCHEMA})
    other = missing(tmp_path / "b", {**files, "env.ts": SCHEMA.replace("@fastify/env", "ajv")})

    assert found == {"KEY": (True, 5), "HOST_NAME": (False, 4)}
    assert other == {}
