from collections.abc import Sequence

from autostack.core.errors import Conflict, Forbidden, Invalid, NotFound


class RoleTooLow(Forbidden):
    def __init__(self, *, needed: str, has: str, team: str, protected: bool = False) -> None:
        why = "This environment is protected: that" if protected else "This"
        super().__init__(f"{why} needs the role {needed!r} in the team {team!r}; you are {has!r}.")
        self.hint = (
            "Ask an admin of the team to do it, or to lift the protection of the environment."
            if protected
            else "Ask an admin or owner of the team to do it, or for another role."
        )


class OperationUndeclared(Forbidden):
    hint = "This is a mistake of the platform's: report it."

    def __init__(self, name: str) -> None:
        super().__init__(f"Nobody decided who may ask for {name!r}.")


class IdInvalid(Invalid):
    hint = "Use an id as the API shows it."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: this is not an id.")


class TeamNotFound(NotFound):
    hint = "GET /teams lists yours."

    def __init__(self) -> None:
        super().__init__("There is no such team.")


class ProjectNotFound(NotFound):
    hint = "GET /projects lists yours."

    def __init__(self) -> None:
        super().__init__("There is no such project.")


class EnvironmentUnknown(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such environment.")


class DeploymentNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such deployment.")


class RunNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such run.")


class LastOwner(Conflict):
    hint = "Make another member an owner first, or delete the team."

    def __init__(self, teams: Sequence[str]) -> None:
        super().__init__(f"The team needs an owner, and there is no other: {', '.join(teams)}.")
