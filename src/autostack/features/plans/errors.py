from datetime import timedelta

from autostack.core.errors import Unavailable


class PlanTimedOut(Unavailable):
    hint = "Try again: what was fetched is kept. `autostack status` says whether a worker runs."

    def __init__(self, waited: timedelta) -> None:
        super().__init__(f"There was no plan after {waited.total_seconds():g} seconds.")
        self.retry_after = timedelta(seconds=5)
