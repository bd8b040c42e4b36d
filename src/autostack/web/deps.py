"""What endpoints ask for. Everything was put into `app.state` by the entrypoint.

All are `async def`: FastAPI runs a plain function in a thread, which costs more than it does.
"""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.clock import Clock
from autostack.core.crypto import Sealer as SealerValue
from autostack.core.crypto import Vault as VaultValue
from autostack.core.db import Database as DatabaseValue
from autostack.core.settings import Settings as SettingsValue
from autostack.web.client import address_of
from autostack.web.limits import Limits as LimitsValue
from autostack.web.sse import Streams as StreamsValue


async def database(request: Request) -> DatabaseValue:
    found: DatabaseValue = request.app.state.db
    return found


async def _session(request: Request) -> AsyncGenerator[AsyncSession]:
    db: DatabaseValue = request.app.state.db
    reads = request.method in {"GET", "HEAD"}
    async with db.reading() if reads else db.transaction() as session:
        yield session


async def _clock(request: Request) -> Clock:
    found: Clock = request.app.state.clock
    return found


async def settings(request: Request) -> SettingsValue:
    found: SettingsValue = request.app.state.settings
    return found


async def _sealer(request: Request) -> SealerValue:
    found: SealerValue = request.app.state.sealer
    return found


async def _vault(request: Request) -> VaultValue:
    found: VaultValue = request.app.state.vault
    return found


async def limits(request: Request) -> LimitsValue:
    found: LimitsValue = request.app.state.limits
    return found


async def _streams(request: Request) -> StreamsValue:
    found: StreamsValue = request.app.state.streams
    return found


# scope="function": the default commits after the client already holds its answer.
Session = Annotated[AsyncSession, Depends(_session, scope="function")]
# For flows of several short transactions, and for streams, which hold none.
Database = Annotated[DatabaseValue, Depends(database)]
Now = Annotated[Clock, Depends(_clock)]
Settings = Annotated[SettingsValue, Depends(settings)]
Sealer = Annotated[SealerValue, Depends(_sealer)]
Vault = Annotated[VaultValue, Depends(_vault)]
Limits = Annotated[LimitsValue, Depends(limits)]
ClientAddress = Annotated[str, Depends(address_of)]
Streams = Annotated[StreamsValue, Depends(_streams)]
