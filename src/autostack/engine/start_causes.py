"""Why an app did not even start: its command, or a module it wants. Pure."""

import re

from autostack.engine import errors
from autostack.engine.release import Diagnosis
from autostack.engine.scene import (
    Scene,
    command_line,
    exit_words,
    find,
    is_release,
    last_line,
    shown,
)

NOT_EXECUTABLE = 126
NOT_FOUND = 127

_MISSING_MODULE = re.compile(
    r"(?:ModuleNotFoundError|ImportError): No module named '?(?P<python>[\w.]+)'?"
    r"|Cannot find (?:module|package) '(?P<node>[^']+)'"
)


_GONE = {
    "pkg_resources": "setuptools stopped bringing it: add `setuptools<81` to your requirements, or "
    "use newer versions of the packages that import it.",
    "distutils": "Python 3.12 dropped it: add `setuptools` to your requirements, or state an older "
    "Python in .python-version.",
}
"""What every environment once had without being asked."""


def missing_module(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, _MISSING_MODULE.pattern)
    if proof is None or _names_the_start_command(scene, proof):
        return None
    name = proof["python"] or proof["node"]
    if name.startswith((".", "/")):
        todo = f"The file {name!r} is not in the build. Is it committed, and spelt like this?"
    elif proof["python"]:
        todo = _GONE.get(name.split(".")[0]) or (
            f"Add the package that brings {name.split('.')[0]!r} to your requirements."
        )
    else:
        todo = f"Add {name!r} to the dependencies in package.json (not devDependencies)."
    return Diagnosis(
        code="missing_module",
        summary=f"The module {name!r} is not installed.",
        proof=shown(proof),
        todo=todo,
    )


def _names_the_start_command(scene: Scene, proof: re.Match[str]) -> bool:
    """`gunicorn wrong:app` and `node wrong.js` also fail with a missing module: the command is
    what is wrong.
    """
    name = proof["python"] or proof["node"].removeprefix("/app/").removesuffix(".js")
    words = " ".join(command_line(scene)).replace("=", " ").split()
    return any(word in (name, f"{name}.js") or word.startswith(f"{name}:") for word in words)


_START_COMMAND = (
    r"^.*\b(?P<what>[\w./-]+): (?:command )?not found$",
    r"Failed to find attribute '(?P<attribute>[^']+)' in '[^']+'",
    r"Error loading ASGI app\. (?P<asgi>.+)",
    r"Missing script: \"?(?P<script>[\w:-]+)\"?",
    r"(?:can't open file|Could not import) '(?P<file>[^']+)'",
    r"bwrap: execvp (?P<program>[^:]+): ",
    r"Failed to parse '(?P<spec>[^']+)' as an attribute name",
)


def start_command(scene: Scene) -> Diagnosis | None:
    if not isinstance(scene.error, errors.RuntimeFailure) or is_release(scene):
        return None
    proof = next((m for pattern in _START_COMMAND if (m := find(scene.lines, pattern))), None)
    if proof is None:
        missing = find(scene.lines, _MISSING_MODULE.pattern)
        proof = missing if missing and _names_the_start_command(scene, missing) else None
    code = scene.exit.code if scene.exit else None
    if proof is None and code not in {NOT_FOUND, NOT_EXECUTABLE}:
        return None
    command = " ".join(command_line(scene))
    return Diagnosis(
        code="start_command",
        summary=f"The start command {command!r} does not work.",
        proof=shown(proof) or last_line(scene.lines) or exit_words(scene.exit),
        todo=_where_it_stands(scene),
    )


def _where_it_stands(scene: Scene) -> str:
    """The line to correct: not everybody has a Procfile."""
    web = scene.plan.web if scene.plan else None
    proof = web.evidence if web else None
    if proof is None:
        return "Correct the start command in the project's settings."
    place = f"{proof.file}:{proof.line}" if proof.line else proof.file
    if proof.file in ("Procfile", "package.json", "autostack.yaml", "autostack.yml"):
        return f"Correct it in {place}, or set another start command in the project's settings."
    return f"It was chosen because of {place}. Add a Procfile with a `web:` line that starts it."
