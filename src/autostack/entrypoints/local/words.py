"""What `up` tells whoever started the platform. Pure but for reading the set-up code."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from autostack.core import domain, host
from autostack.core.settings import Settings
from autostack.drivers.machine import isolation
from autostack.drivers.machine.sandbox import Machine
from autostack.entrypoints.local import house
from autostack.entrypoints.postgres import database_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the words depend on besides the settings."""

    first_account: bool
    setup_code: str | None
    cautions: Sequence[str] = ()


def welcome(settings: Settings) -> str:
    return "\n".join(lines(settings, _facts(settings)))


def lines(settings: Settings, facts: Facts) -> list[str]:
    said = [f"AutoStack is up: {address(settings)}"]
    if facts.first_account:
        said.append(_first_account(settings, facts.setup_code))
    said += [*facts.cautions, *_from_elsewhere(settings)]
    return [*said, "Stop it with `autostack down`, or `autostack down --apps` for the apps too."]


def address(settings: Settings) -> str:
    """Where people find the API."""
    return settings.web_address


def _first_account(settings: Settings, code: str | None) -> str:
    if not settings.reachable or code is None:
        return "Create the first account, the administrator: `autostack register`"
    return (
        "Create the first account, the administrator: `autostack register --setup-code`\n"
        f"  It asks for this code, once: {code}"
    )


def _from_elsewhere(settings: Settings) -> list[str]:
    if found := domain.apps_domain(settings.base_domain):
        told = domain.place("NAME", "", domain=found, edge_port=settings.edge_port)
        notes = domain.shortfalls(settings.base_domain, settings.edge_port)
        return [f"Apps get addresses like http://{told}/", *(f"  {note}" for note in notes)]
    api, edge = settings.port, settings.edge_port
    tunnel = f"ssh -L {api}:127.0.0.1:{api} -L {edge}:127.0.0.1:{edge} USER@THIS-MACHINE"
    return [
        f"From another machine: {tunnel}",
        f"  then http://127.0.0.1:{api}, and http://NAME.localhost:{edge}/ for apps.",
        "  Or give the apps a domain of yours: AUTOSTACK_BASE_DOMAIN=apps.example.com",
    ]


def _facts(settings: Settings) -> Facts:
    try:
        code = house.setup_code(settings.layout).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        code = None
    taken = host.load(settings.layout)
    cautions: Sequence[str] = ()
    if settings.unsafe_no_sandbox and taken:
        machine = Machine(home=settings.layout, host=taken, unsafe=True)
        cautions = isolation.cautions(machine)
    return Facts(first_account=_nobody_yet(settings), setup_code=code, cautions=cautions)


def _nobody_yet(settings: Settings) -> bool:
    try:
        with psycopg.connect(database_url(settings), connect_timeout=5) as connection:
            return connection.execute("select 1 from users limit 1").fetchone() is None
    except psycopg.Error:
        return True
