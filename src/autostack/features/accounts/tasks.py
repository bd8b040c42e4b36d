"""Letters, sent by the worker: so the answer of a request is the same for every address."""

import logging
from dataclasses import dataclass
from uuid import UUID

from autostack.core.clock import Clock
from autostack.core.db import Database
from autostack.core.mail import MailFailed, Post
from autostack.features.accounts import letters, service

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What letters are written with. `site` is the platform's address; without `post` nothing is
    sent, for the setting is gone since the letter was asked for.
    """

    db: Database
    post: Post | None
    site: str
    clock: Clock


async def send_reset(desk: Desk, email: str) -> None:
    """A link's token exists here and in the letter alone; one that was not sent is forgotten."""
    if desk.post is None:
        return
    async with desk.db.transaction() as session:
        begun = await service.begin_reset(session, email, now=desk.clock())
    if begun is None:
        return
    user, token = begun
    try:
        await desk.post.send(letters.reset(user.email, site=desk.site, token=token))
    except MailFailed as error:
        log.warning("%s", error)
        async with desk.db.transaction() as session:
            await service.withdraw_reset(session, token)
        raise


async def send_confirmation(desk: Desk, user_id: UUID) -> None:
    if desk.post is None:
        return
    async with desk.db.transaction() as session:
        begun = await service.begin_email_change(session, user_id, now=desk.clock())
    if begun is None:
        return
    if begun.token is None:
        await desk.post.send(letters.taken(begun.email, site=desk.site))
        return
    try:
        letter = letters.confirmation(begun.email, site=desk.site, token=begun.token)
        await desk.post.send(letter)
    except MailFailed as error:
        log.warning("%s", error)
        async with desk.db.transaction() as session:
            await service.withdraw_email_link(session, user_id)
        raise


async def send_notice(desk: Desk, email: str) -> None:
    """To the address an account had."""
    if desk.post is not None:
        await desk.post.send(letters.notice(email, site=desk.site))
