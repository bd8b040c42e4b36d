from collections.abc import Sequence

from autostack.core.errors import Conflict, NotFound


class EnvironmentNotFound(NotFound):
    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no environment {name[:80]!r} in this project.")
        self.hint = f"Use one of {', '.join(known[:20])}, or create it first."


class EnvironmentExists(Conflict):
    hint = "Use it, or choose another name. One that is being removed is free again soon."

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already an environment {name!r} in this project.")


class ProductionStays(Conflict):
    hint = "Stop it, or remove the whole project."

    def __init__(self) -> None:
        super().__init__("The production environment cannot be removed.")


class EnvironmentsExhausted(Conflict):
    hint = "Remove one that nobody needs."

    def __init__(self, most: int) -> None:
        super().__init__(f"A project has at most {most} environments.")
