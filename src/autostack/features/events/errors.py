from autostack.core.errors import Invalid


class EventIdInvalid(Invalid):
    hint = "Send the id of the last event you got, unchanged, or no Last-Event-ID."

    def __init__(self) -> None:
        super().__init__("This Last-Event-ID is not one of ours.")
