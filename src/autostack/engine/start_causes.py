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


_NOT_IN_IT = (
    r"ImportError: cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'"
    r" \([^)]*/site-packages/"
)


def unfit_module(scene: Scene) -> Diagnosis | None:
    """An installed package lacks what another, or the app, imports from it: their versions do not
    go together.
    """
    proof = find(scene.lines, _NOT_IN_IT)
    if proof is None:
        return None
    frame = find(scene.lines, r'^\s*File "(?:.*/site-packages/(?P<package>\w+))?')
    module, importer = proof["module"].split(".")[0], frame["package"] if frame else None
    if importer:
        todo = f"Pin {module!r} in your requirements to a version as old as {importer!r}, "
        todo += f"or use a newer {importer!r}."
    else:
        todo = f"Pin {module!r} in your requirements to the version the code was written for."
    return Diagnosis(
        code="unfit_module",
        summary=f"The installed {module!r} has no {proof['name']!r}, which "
        f"{repr(importer) if importer else 'the code'} imports.",
        proof=shown(proof),
        todo=todo,
    )


def silent(scene: Scene) -> Diagnosis | None:
    """It printed nothing, and lacks what its code cannot do without."""
    if not isinstance(scene.error, errors.Crashed) or last_line(scene.lines):
        return None
    missing = scene.plan.missing if scene.plan else ()
    needed = [one for one in missing if one.required and one.name not in scene.variables]
    if not needed:
        return None
    names = [one.name for one in needed]
    first = needed[0].evidence
    return Diagnosis(
        code="unset_variable",
        summary=f"{scene.error} It printed nothing, and variables its code requires are not set: "
        f"{', '.join(names)}.",
        proof=f"{names[0]} is read in {first.file}:{first.line}; {exit_words(scene.exit)}",
        todo=f"Set them: `autostack env set {' '.join(f'{name}=…' for name in names)}`, "
        "then deploy again.",
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
