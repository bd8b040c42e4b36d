"""Teams of several people, made as people make them."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.integration.api.conftest import Account

REPO = "https://git.example.com/ada/shop.git"


@dataclass(frozen=True, slots=True)
class Team:
    """One of Ada's; she owns it."""

    owner: Account
    id: str

    @property
    def path(self) -> str:
        return f"/teams/{self.id}"

    async def invite(self, email: str, role: str = "developer") -> Any:  # noqa: ANN401 - JSON
        return await good(
            self.owner.client.post(f"{self.path}/invitations", json={"email": email, "role": role})
        )

    async def join(self, account: Account, email: str, role: str = "developer") -> None:
        made = await self.invite(email, role)
        await good(accept(account, made["token"]))

    async def project(self, name: str = "Shop") -> Any:  # noqa: ANN401 - JSON
        return await self.owner.project(name, team_id=self.id)

    async def members(self) -> dict[str, str]:
        found = await good(self.owner.client.get(f"{self.path}/members"))
        return {one["email"]: one["role"] for one in found["items"]}


async def make_team(owner: Account, name: str = "Shop people") -> Team:
    made = await good(owner.client.post("/teams", json={"name": name}))
    return Team(owner, made["id"])


async def accept(account: Account, token: str) -> httpx.Response:
    return await account.client.post("/invitations/accept", json={"token": token})


async def good(asked: Any) -> Any:  # noqa: ANN401 - JSON
    answer: httpx.Response = await asked
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refusal(asked: Any) -> tuple[int, str]:  # noqa: ANN401 - what httpx gives
    answer: httpx.Response = await asked
    return answer.status_code, answer.json()["code"]
