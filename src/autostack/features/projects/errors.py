from autostack.core.errors import Conflict, Invalid, Unavailable
from autostack.features.teams.errors import ProjectNotFound as ProjectNotFound  # noqa: PLC0414 - the api says it so


class ProjectNameTaken(Conflict):
    hint = "Choose another name, or use the project that has it."

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already a project named {name!r}.")


class ProjectNameInvalid(Invalid):
    hint = "Use letters, digits, spaces and hyphens; at least one letter or digit of a to z."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} cannot be the name of a project.")


class DatabaseUnavailable(Invalid):
    hint = "Run the database elsewhere and set its address as a variable, as DATABASE_URL."

    def __init__(self, kind: str) -> None:
        super().__init__(f"This platform does not provide a {kind!r} database.")


class RepositoryUrlInvalid(Invalid):
    hint = "Use https://host/owner/name.git or git@host:owner/name.git."

    def __init__(self, reason: str) -> None:
        super().__init__(f"This repository address cannot be used: {reason}.")


class AddressesExhausted(Unavailable):
    hint = "Remove environments that nobody needs."

    def __init__(self) -> None:
        super().__init__("There is no free address for another environment.")


class ProjectsExhausted(Conflict):
    hint = "Remove one that nobody needs."

    def __init__(self, most: int) -> None:
        super().__init__(f"A team has at most {most} projects.")
