from autostack.core.errors import Conflict
from autostack.features.teams.errors import RunNotFound as RunNotFound  # noqa: PLC0414 - the api says it so


class RunFinished(Conflict):
    hint = "Its log and exit code are kept; run the command again for another try."

    def __init__(self, status: str) -> None:
        super().__init__(f"This run is over: {status}.")


class TooManyRuns(Conflict):
    hint = "Wait until one has ended, or cancel one; `autostack runs list` shows them."

    def __init__(self, most: int, environment: str) -> None:
        super().__init__(f"{most} commands are already being run in {environment}.")


class StaticRelease(Conflict):
    hint = "Only a release that runs processes can run commands."

    def __init__(self, environment: str) -> None:
        super().__init__(f"What is deployed to {environment} is a static site: it is files alone.")
