from autostack.core.errors import Conflict, Invalid, NotFound, TooLarge


class VariableNameInvalid(Invalid):
    hint = "Use letters, digits and underscores, as in DATABASE_URL; not a digit first."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:80]!r} cannot be the name of a variable.")


class VariableReserved(Invalid):
    hint = "The platform sets it for each instance."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is set by the platform.")


class VariableNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no variable {name[:80]!r} in this environment.")


class ValueRevoked(Conflict):
    hint = "Deploy its commit again: it then gets what is set now."

    def __init__(self, name: str, release: int) -> None:
        super().__init__(f"Release {release} carries a value of {name} that was revoked.")


class VariablesTooLarge(TooLarge):
    hint = "Keep large values in files or in a store of their own."

    def __init__(self, what: str) -> None:
        super().__init__(f"An environment holds at most {what}.")


class DotenvInvalid(Invalid):
    hint = "Write NAME=value, one a line."

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line} cannot be read: {reason}.")
