from datetime import timedelta

from autostack.core.errors import Unavailable


class PlanTimedOut(Unavailable):
    hint = "Try again: what was fetched is kept. `autostack status` says whether a worker runs."

    def __init__(self, waited: timedelta) -> None:
        super().__init__(f"There was no plan after {waited.total_seconds():g} seconds.")
        self.retry_after = timedelta(seconds=5)


class PlanFailed(Unavailable):
    hint = "This is not your repository's fault. `control.log` on the server says what happened."

    def __init__(self) -> None:
        super().__init__("The platform itself failed while it looked at this repository.")
