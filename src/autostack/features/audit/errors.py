from autostack.core.errors import Forbidden


class OnlyAdministrators(Forbidden):
    hint = "Leave `everything` away to see what happened in your teams and to your account."

    def __init__(self) -> None:
        super().__init__("The history of the whole platform is for its administrators.")
