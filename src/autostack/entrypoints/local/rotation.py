"""The sealing keys, changed on the machine itself: who can read them may do this."""

from dataclasses import dataclass

from autostack.core.crypto import Sealer
from autostack.core.errors import Forbidden
from autostack.core.keyring import Keyring
from autostack.core.settings import Settings
from autostack.entrypoints.local.people import database
from autostack.features.deployments import resealing


class KeysUnreadable(Forbidden):
    hint = "Run it as the user the platform runs as, mostly root."

    def __init__(self) -> None:
        super().__init__("The sealing keys of this platform cannot be read or replaced.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`left` values are still sealed with an earlier key; `under_way` until that key is gone."""

    under_way: bool
    left: int


async def begin(settings: Settings) -> Progress:
    """A new key seals from now on; the worker does the rest."""
    try:
        Keyring(settings.layout.secrets).begin()
    except OSError as error:
        raise KeysUnreadable from error
    return await progress(settings)


async def progress(settings: Settings) -> Progress:
    ring = Keyring(settings.layout.secrets)
    try:
        sealer, under_way = Sealer(ring.public), ring.rotating
    except OSError as error:
        raise KeysUnreadable from error
    async with database(settings) as db, db.transaction() as session:
        return Progress(under_way=under_way, left=await resealing.left(session, sealer))
