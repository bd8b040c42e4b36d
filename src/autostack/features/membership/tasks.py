"""The letter of an invitation, sent by the worker."""

import logging
from uuid import UUID

from autostack.core.mail import MailFailed
from autostack.features.accounts.tasks import Desk
from autostack.features.membership import letters, service

log = logging.getLogger(__name__)


async def send_invitation(desk: Desk, invitation_id: UUID) -> None:
    """Its link is made here; a second try makes another, and only the last one counts."""
    if desk.post is None:
        return
    async with desk.db.transaction() as session:
        found = await service.write_letter(session, invitation_id, now=desk.clock())
    if found is None:
        return
    letter = letters.invitation(
        found.email, site=desk.site, team=found.team, role=found.role.value, token=found.token
    )
    try:
        await desk.post.send(letter)
    except MailFailed as error:
        log.warning("%s", error)
        raise
