from autostack.core.errors import Unauthorized


class MetricsTokenNeeded(Unauthorized):
    hint = "Ask from this machine, or send the platform's metrics token as a Bearer token."

    def __init__(self) -> None:
        super().__init__("These figures are not for everybody.")
