"""Why a build failed: rules over what its programs printed. Pure."""

from autostack.engine import errors
from autostack.engine.release import Diagnosis
from autostack.engine.scene import Scene, find, shown, telling_line

_NO_PACKAGE = (
    r"Because (?P<missing>[\w.-]+) was not found in the package registry"
    r"|there is no version of (?P<version>\S+)"
    r"|npm (?:error|ERR!) 404 +'(?P<npm>[^']+)' is not in this registry"
    r"|No matching version found for (?P<range>\S+?)\.?(?: |$)"
    r"|ERR_PNPM_FETCH_404.*?/(?P<pnpm>[^/:]+):"
    r"|Couldn't find (?:any versions for|package) \"(?P<yarn>[^\"]+)\""
)
_NO_PROGRAM = (
    r"^(?:(?:/bin/)?sh: (?:\d+: |line \d+: )?)(?P<program>[\w./@-]+): (?:command )?not found$"
)
_COMPILER = (
    r"command '?(?:/usr/bin/)?(?:\S*-)?(?:gcc|g\+\+|cc|c\+\+)'? failed"
    r"|pg_config executable not found"
)


def package_not_found(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, _NO_PACKAGE) if _is_build(scene) else None
    if proof is None:
        return None
    name = next(group for group in proof.groups() if group)
    return Diagnosis(
        code="package_not_found",
        summary=f"The package registry has no {name}.",
        proof=shown(proof),
        todo="Correct the name or the version where the project lists what it requires.",
    )


def program_missing(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, _NO_PROGRAM) if _is_build(scene) else None
    if proof is None:
        return None
    program = proof["program"]
    return Diagnosis(
        code="program_missing",
        summary=f"The build calls {program!r}, which is not installed.",
        proof=shown(proof),
        todo=f"Add the package that brings {program!r} to the project's dependencies.",
    )


def compiler_missing(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, _COMPILER) if _is_build(scene) else None
    if proof is None:
        return None
    return Diagnosis(
        code="compiler_missing",
        summary="A package has to be compiled here, and what that needs is missing.",
        proof=shown(proof),
        todo="Require a version that is published ready-made (for PostgreSQL: psycopg[binary]), or "
        "install the compiler and the library's headers on the server.",
    )


def build_failed(scene: Scene) -> Diagnosis | None:
    """No known cause: the error that was printed, rather than the farewell after it."""
    if not _is_build(scene):
        return None
    return Diagnosis(
        code="build_failed",
        summary=str(scene.error),
        proof=telling_line(scene.lines),
        todo=errors.BuildFailed.hint,
    )


def _is_build(scene: Scene) -> bool:
    return isinstance(scene.error, errors.BuildFailed)
