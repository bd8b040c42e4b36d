"""Teams of several people: who is in them, as what, and who is asked to come."""

from autostack.features.membership.service.founding import dissolve, found, rename
from autostack.features.membership.service.invitations import (
    SEND,
    Invited,
    accept,
    invitations,
    invite,
    revoke_invitation,
    write_letter,
)
from autostack.features.membership.service.machines import make_service_account, service_account
from autostack.features.membership.service.members import (
    change_role,
    leave,
    members,
    remove_member,
)

__all__ = [
    "SEND",
    "Invited",
    "accept",
    "change_role",
    "dissolve",
    "found",
    "invitations",
    "invite",
    "leave",
    "make_service_account",
    "members",
    "remove_member",
    "rename",
    "revoke_invitation",
    "service_account",
    "write_letter",
]
