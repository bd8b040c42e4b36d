from autostack.core.errors import Conflict, NotFound, Unauthorized


class HookNotFound(NotFound):
    hint = "`autostack hook list` shows the hooks of a project; a lost address needs a new one."

    def __init__(self) -> None:
        super().__init__("There is no such hook.")


class SignatureInvalid(Unauthorized):
    hint = "Give the forge this hook's secret; `autostack hook rotate` makes a new one."

    def __init__(self) -> None:
        super().__init__("This delivery is not signed with the hook's secret.")


class TooManyHooks(Conflict):
    hint = "Delete one that nothing calls any more."

    def __init__(self, most: int) -> None:
        super().__init__(f"A project has {most} hooks at most.")
