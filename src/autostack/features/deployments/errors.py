from collections.abc import Sequence

from autostack.core.errors import Conflict, Invalid, NotFound
from autostack.features.teams.errors import DeploymentNotFound as DeploymentNotFound  # noqa: PLC0414 - the api says it so
from autostack.features.teams.errors import EnvironmentUnknown as EnvironmentUnknown  # noqa: PLC0414 - the api says it so

SHOWN = 20
"""Releases that a message lists."""


class DeploymentFinished(Conflict):
    hint = "To bring an earlier release back, use rollback."

    def __init__(self, status: str) -> None:
        super().__init__(f"This deployment is over: {status}.")


class DeploymentSwitching(Conflict):
    hint = "Wait a moment, then bring the earlier release back with rollback."

    def __init__(self) -> None:
        super().__init__("This deployment is already taking over and cannot be canceled.")


class ReleaseNotFound(NotFound):
    hint = "List the releases of this environment to see which can be brought back."

    def __init__(self) -> None:
        super().__init__("There is no such release in this environment.")


class ReleaseRemoved(Conflict):
    def __init__(self, number: int, kept: Sequence[int] = ()) -> None:
        super().__init__(f"Release {number} was removed from this server to free disk space.")
        listed = ", ".join(map(str, kept[:SHOWN]))
        choice = f"Kept are: {listed}. Bring one of them back, or" if kept else "Instead,"
        self.hint = f"{choice} deploy its commit again."


class NothingDeployed(Conflict):
    hint = "Deploy it first."

    def __init__(self, environment: str) -> None:
        super().__init__(f"Nothing is deployed to {environment} yet.")


class ProcessUnknown(Invalid):
    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no process type {name!r}.")
        self.hint = f"This release has: {', '.join(known) or 'none'}."


class IdempotencyMismatch(Conflict):
    hint = "Use a new Idempotency-Key for a new request."

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for a different request.")
