"""How a deployment goes wrong. Drivers raise these; the journal and the API render them.

AutostackError
├── DeploymentError        a step cannot go on; `diagnosis` may say more
│   ├── SourceError        RepositoryUnreachable RepositoryDenied BranchNotFound RepositoryEmpty
│   │                      RepositoryTooLarge RepositoryRefused TreeRefused
│   ├── PlanError          NothingDetected FamilyUnavailable PlanFileInvalid RootNotFound
│   │                      RootUnclear
│   ├── BuildError         BuildFailed BuildTimedOut BuildOutOfMemory OutOfDisk DiskFloor
│   │                      ToolchainUnavailable PublishMissing DockerfileRefused
│   │                      BaseImageUnavailable
│   ├── RuntimeFailure     ReleaseCommandFailed StartRefused Unhealthy CheckFailed Crashed
│   │                      SandboxUnavailable EngineUnavailable
│   └── SwitchError        StaleGeneration SwitchUnconfirmed
├── Canceled               the user asked
└── LeaseLost              another worker owns this deployment now
"""

from collections.abc import Mapping

from autostack.core import space
from autostack.core.errors import AutostackError, Conflict, Invalid, Unavailable


class Canceled(AutostackError):
    def __init__(self) -> None:
        super().__init__("The deployment was canceled.")


class LeaseLost(Conflict):
    def __init__(self) -> None:
        super().__init__("Another worker has taken this deployment over.")


class DeploymentError(Invalid):
    """A step cannot go on."""


class SourceError(DeploymentError):
    pass


class RepositoryUnreachable(SourceError):
    hint = "Check the address, and that this machine can reach it."

    def __init__(self, host: str, reason: str = "") -> None:
        super().__init__(f"Could not reach {host}{f': {reason}' if reason else ''}.")


class RepositoryDenied(SourceError):
    hint = "Check the address. If the repository is private, add a token or our deploy key."

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} does not exist or does not let us in.")


class BranchNotFound(SourceError):
    def __init__(self, ref: str, known: tuple[str, ...] = ()) -> None:
        super().__init__(f"The repository has no branch, tag or commit {ref!r}.")
        self.hint = f"Known branches: {', '.join(known[:10])}." if known else "Push it first."


class RepositoryEmpty(SourceError):
    hint = "Push a commit first."

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} has no commits yet.")


class RepositoryTooLarge(SourceError):
    hint = "Remove large files from the repository, or raise AUTOSTACK_SOURCE_LIMIT_MB."

    def __init__(self, limit: int) -> None:
        super().__init__(f"The repository is larger than {limit // (1024 * 1024)} MB.")


class RepositoryRefused(SourceError):
    hint = "Use an https:// or ssh address of a public host."

    def __init__(self, reason: str) -> None:
        super().__init__(f"This repository address is not allowed: {reason}.")


class TreeRefused(SourceError):
    hint = "Remove the file, or make the link stay inside the repository."

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path!r} in the repository is not allowed: {reason}.")


class PlanError(DeploymentError):
    pass


class NothingDetected(PlanError):
    hint = "Add a Procfile with a `web:` line, or set the root directory and start command."

    def __init__(self, looked_for: str) -> None:
        super().__init__(f"We found nothing to run. Looked for {looked_for}.")


class PlanFileInvalid(PlanError):
    hint = "Correct the file, or remove it: most projects need none."

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}{f':{line}' if line else ''} cannot be used: {reason}.")


class RootNotFound(PlanError):
    hint = "Set the root to a directory of the repository, as in `services/api`."

    def __init__(self, root: str) -> None:
        super().__init__(f"The root directory {root[:200]!r} is not in the repository.")


class RootUnclear(PlanError):
    """`found` are directories, each with the file that makes it look like an application."""

    def __init__(self, found: Mapping[str, str]) -> None:
        named = ", ".join(f"{directory} ({file})" for directory, file in found.items())
        super().__init__(f"There is nothing to run at the top of the repository, but in {named}.")
        self.hint = (
            f"Set the root directory, as in `autostack init … --root {next(iter(found))}`: one "
            "project each. Where they need each other's files, set a build and a start command."
        )


class FamilyUnavailable(PlanError):
    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"{what} cannot be deployed here yet.")
        self.hint = hint


class BuildError(DeploymentError):
    pass


class BuildFailed(BuildError):
    hint = "Read the last lines of the build log; the same command fails on your machine too."

    def __init__(self, title: str, code: int) -> None:
        super().__init__(f"{title} failed with exit code {code}.")


class BuildTimedOut(BuildError):
    hint = "Make the build shorter, or raise the build time limit."

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The build took longer than {seconds:g} seconds and was ended.")


class BuildOutOfMemory(BuildError):
    hint = "Let the build use less memory, or raise AUTOSTACK_BUILD_MEMORY_MB on the server."

    def __init__(self, limit: int) -> None:
        super().__init__(f"The build needed more than {limit // (1024 * 1024)} MB of memory.")


class PublishMissing(BuildError):
    hint = "Set the publish directory to where the build leaves its files."

    def __init__(self, publish: str) -> None:
        super().__init__(f"The build left no directory {publish!r} to publish.")


class DockerfileRefused(BuildError):
    hint = "Correct the Dockerfile; `docker build .` says the same on your machine."

    def __init__(self, reason: str) -> None:
        super().__init__(f"The Dockerfile cannot be built: {reason}.")


class BaseImageUnavailable(BuildError):
    hint = "Check its name, and that the server reaches the registry it comes from."

    def __init__(self, image: str, reason: str) -> None:
        super().__init__(f"The base image {image} could not be fetched: {reason}.")


class OutOfDisk(BuildError):
    hint = "Free disk space on the server, or remove old releases."

    def __init__(self, what: str) -> None:
        super().__init__(f"There is not enough disk space for {what}.")


class DiskFloor(BuildError):
    """Nothing new is built; what runs, restarts and rollbacks go on."""

    hint = (
        "`autostack disk` shows what holds the space. Remove projects or files that nobody needs, "
        "make the disk larger, or lower AUTOSTACK_DISK_FLOOR_MB; then deploy again. What serves "
        "goes on, and restarts and rollbacks work."
    )

    def __init__(self, *, free: int, total: int, floor: int) -> None:
        super().__init__(
            f"The server's disk is almost full: {space.words(free)} of {space.words(total)} are "
            f"free, and nothing new is built below {space.words(floor)}. Cleaning up did not free "
            "enough."
        )


class ToolchainUnavailable(BuildError):
    """`why` says what kept it from being fetched."""

    def __init__(
        self, name: str, version: str, known: tuple[str, ...] = (), *, why: str = ""
    ) -> None:
        told = f", and {why}" if why else ""
        super().__init__(f"{name} {version} is not available on this machine{told}.")
        install = f"Install {name} {version}".rstrip() + " on the server"
        self.hint = (
            f"{install}, or ask for one of these: {', '.join(known)}." if known else f"{install}."
        )


class RuntimeFailure(DeploymentError):
    pass


class ReleaseCommandFailed(RuntimeFailure):
    hint = "What serves was not touched. Fix the command, or its database, then deploy again."

    def __init__(self, code: int) -> None:
        super().__init__(f"The release command failed with exit code {code}.")


class StartRefused(RuntimeFailure):
    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(f"The app could not be started: {reason}.")
        self.hint = hint


class Unhealthy(RuntimeFailure):
    hint = "Listen on 0.0.0.0 and on the port given in $PORT."

    def __init__(self, process: str, seconds: float, last: str) -> None:
        super().__init__(f"{process} did not answer within {seconds:g} seconds; last: {last}.")


class CheckFailed(Unhealthy):
    hint = "Correct the command of `check`, or give the app more time with `check.grace`."


class Crashed(RuntimeFailure):
    hint = "Read the last lines it printed."

    def __init__(self, process: str, code: int | None) -> None:
        how = "ended" if code is None else f"ended with exit code {code}"
        super().__init__(f"{process} {how} right after its start.")


class SandboxUnavailable(Unavailable):
    hint = "Run `autostack doctor`; it says what is missing."

    def __init__(self, reason: str) -> None:
        super().__init__(f"Code cannot be isolated on this machine: {reason}.")


class EngineUnavailable(Unavailable):
    hint = "Start Docker, or set AUTOSTACK_DOCKER_HOST to where it listens."

    def __init__(self, address: str) -> None:
        super().__init__(f"No Docker engine answers at {address}.")


class SwitchError(DeploymentError):
    pass


class StaleGeneration(SwitchError):
    def __init__(self, asked: int, current: int) -> None:
        super().__init__(f"Routes of generation {asked} are older than {current}.")


class SwitchUnconfirmed(SwitchError):
    hint = "The edge may be down: `autostack status` says. Traffic stays where it was."

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The edge did not confirm the new routes within {seconds:g} seconds.")


class StepTimedOut(DeploymentError):
    hint = "Deploy again; if it happens again, `autostack status` says what is slow."

    def __init__(self, step: str, seconds: float) -> None:
        super().__init__(f"The step '{step}' took longer than {seconds:g} seconds and was ended.")


class StepGivenUp(DeploymentError):
    """Not slow: each time it was begun, whoever carried it out ended before it did."""

    hint = (
        "It may take the platform down with it, for want of memory for example: read "
        "`control.log` in the logs folder of AUTOSTACK_HOME, then deploy again."
    )

    def __init__(self, step: str, times: int) -> None:
        super().__init__(
            f"The step '{step}' was cut off {times} times by an end of the platform's worker "
            "and is not tried again."
        )


class Unstable(DeploymentError):
    hint = "Traffic is back on the previous release. Read the last lines the new one printed."

    def __init__(self, process: str, what: str) -> None:
        super().__init__(f"{process} {what} after it had taken over.")


class JournalAway(Unavailable):
    hint = "The deployment is resumed when the database is back."

    def __init__(self) -> None:
        super().__init__("The database did not come back in time.")
