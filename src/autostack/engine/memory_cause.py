"""The rule that recognises what ended for want of memory. Pure."""

from autostack.engine import errors
from autostack.engine.release import MIB, Diagnosis, Step
from autostack.engine.scene import Scene, exit_words, find, is_release, shown


def out_of_memory(scene: Scene) -> Diagnosis | None:
    pattern = (
        r"JavaScript heap out of memory|^MemoryError\b|Cannot allocate memory|Out of memory"
        r"|was sent SIGKILL! Perhaps out of memory"
    )
    proof = find(scene.lines, pattern)
    ended = scene.exit is not None and scene.exit.oom
    if proof is None and not ended and not isinstance(scene.error, errors.BuildOutOfMemory):
        return None
    return Diagnosis(
        code="out_of_memory",
        summary=_too_much(scene, ended=ended),
        proof=shown(proof) or exit_words(scene.exit) or str(scene.error),
        todo=_use_less(scene),
    )


def _too_much(scene: Scene, *, ended: bool) -> str:
    if isinstance(scene.error, errors.BuildOutOfMemory):
        return str(scene.error)
    if ended and scene.memory:
        what = "The release command" if is_release(scene) else "The app"
        return f"{what} was killed: out of memory at its limit of {scene.memory // MIB} MB."
    return "It needed more memory than it may use."


def _use_less(scene: Scene) -> str:
    if scene.step is Step.BUILD:
        return "Let the build use less, or raise AUTOSTACK_BUILD_MEMORY_MB on the server."
    return (
        "Use less memory (fewer workers, smaller caches), or raise the memory limit: `autostack "
        "limits web --memory 1024`, or `memory` in autostack.yaml."
    )
