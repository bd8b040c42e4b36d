from autostack.core.errors import Conflict, Forbidden, Invalid, NotFound


class PersonalTeam(Conflict):
    hint = "Make a team for more than one person with POST /teams, and move the project there."

    def __init__(self) -> None:
        super().__init__("A personal team has one member and goes with its account.")


class TeamNotEmpty(Conflict):
    hint = "Remove its projects, or move them to another team; one that is being removed is soon."

    def __init__(self) -> None:
        super().__init__("This team still has projects.")


class TooManyTeams(Conflict):
    hint = "Delete one that nobody needs."

    def __init__(self, most: int) -> None:
        super().__init__(f"One account owns {most} teams at most.")


class MemberNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such member in this team.")


class AlreadyMember(Conflict):
    hint = "Change the role of the member instead."

    def __init__(self) -> None:
        super().__init__("This account is already a member of the team.")


class OwnersOnly(Forbidden):
    hint = "Ask an owner of the team."

    def __init__(self) -> None:
        super().__init__("Only an owner makes owners, or changes and removes them.")


class ServiceRole(Invalid):
    hint = "Give it the role 'developer' or 'viewer'."

    def __init__(self) -> None:
        super().__init__("A service account is a developer at most.")


class ServiceNameTaken(Conflict):
    hint = "Choose another name, or use the one that has it."

    def __init__(self, name: str) -> None:
        super().__init__(f"This team already has a service account {name!r}.")


class TooManyInvitations(Conflict):
    hint = "Revoke those that nobody will use."

    def __init__(self, most: int) -> None:
        super().__init__(f"A team has {most} open invitations at most.")


class InvitationNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such invitation.")


class InvitationInvalid(Invalid):
    hint = "Ask for a new one: an invitation is good once, for seven days."

    def __init__(self) -> None:
        super().__init__("This invitation is not valid, or not any more.")


class InvitationOfAnother(Forbidden):
    hint = "Sign in with the address that was invited, or ask for an invitation to yours."

    def __init__(self) -> None:
        super().__init__("This invitation is for another e-mail address.")
