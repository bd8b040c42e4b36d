from autostack.core.errors import Forbidden


class AdministratorOnly(Forbidden):
    hint = "Ask for one project instead: `autostack disk --project NAME`."

    def __init__(self) -> None:
        super().__init__("Only the administrator sees the disk of the whole server.")
