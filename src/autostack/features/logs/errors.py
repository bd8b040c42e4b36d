from autostack.core.errors import Invalid


class LogPlaceInvalid(Invalid):
    hint = "Use the id of a line, unchanged, or leave it out."

    def __init__(self) -> None:
        super().__init__("This is not the id of a log line.")
