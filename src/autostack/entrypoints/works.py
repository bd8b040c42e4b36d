"""What a worker works with, chosen by the settings: every driver and every port, written out."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from autostack.core import host as hosts
from autostack.core import mail
from autostack.core.clock import utc_now
from autostack.core.crypto import Opener, Sealer
from autostack.core.db import Database
from autostack.core.domain import apps_domain
from autostack.core.errors import Unavailable
from autostack.core.home import Home
from autostack.core.host import Host
from autostack.core.keyring import Followed, Keyring
from autostack.core.logs import places, reader
from autostack.core.logs.sink import FileSink
from autostack.core.mail import Post
from autostack.core.settings import Settings
from autostack.drivers.builders.choice import ChosenBuilder
from autostack.drivers.builders.docker import DockerBuilder
from autostack.drivers.builders.docker_plan import BaseImages
from autostack.drivers.builders.store import BuildStore
from autostack.drivers.builders.workspace import WorkspaceBuilder
from autostack.drivers.machine import docker, isolation, memory
from autostack.drivers.machine.sandbox import Machine, Network
from autostack.drivers.machine.supervisor import Supervisor
from autostack.drivers.routers.documents import Sites
from autostack.drivers.routers.probe import HttpProbe
from autostack.drivers.routers.sites import remembered, until_open
from autostack.drivers.routers.traefik import TraefikRouter
from autostack.drivers.runtimes.choice import ChosenRuntime
from autostack.drivers.runtimes.docker import DockerRuntime
from autostack.drivers.runtimes.process import ProcessRuntime
from autostack.engine.admission import Rules
from autostack.engine.detect import Tree, detect
from autostack.engine.order import Detect, Pace, Tools
from autostack.engine.plan import Overrides, Plan
from autostack.engine.ports import Source
from autostack.engine.release import BUILD_LIMITS, MIB
from autostack.entrypoints import storage
from autostack.entrypoints.sources import build_source
from autostack.features.accounts.tasks import Desk
from autostack.features.deployments import orders
from autostack.features.deployments.journal import Site
from autostack.features.deployments.resealing import Resealing
from autostack.features.deployments.service import Address
from autostack.features.deployments.tasks import Works
from autostack.features.deployments.turns import Turns
from autostack.features.disk.guarded import GuardedBuilder, GuardedSource

LAST_LINES = 40
SITES_WAKE = timedelta(seconds=15)


class NotSetUp(Unavailable):
    hint = "Run `autostack up`."

    def __init__(self) -> None:
        super().__init__("This platform has not been set up yet.")


def build_works(settings: Settings, db: Database) -> Works:
    home = settings.layout
    host = hosts.load(home)
    if host is None:
        raise NotSetUp
    opener, sealer = _keys(home)
    source = build_source(settings)
    tools, builder, store = _tools(settings, host, source)
    kept = storage.Kept(store=store, builder=builder, runtime=tools.runtime, forget=source.forget)
    resealing = Resealing(db, Keyring(home.secrets), opener=opener, sealer=sealer)
    guardian, measuring = storage.keepers(settings, db, kept)
    return Works(
        db=db,
        site=_site(settings, host, opener),
        tools=replace(
            tools,
            source=GuardedSource(source=source, guardian=guardian),
            builder=GuardedBuilder(builder=builder, guardian=guardian),
        ),
        opener=opener,
        sealer=sealer,
        worker=f"{socket.gethostname()}:{home.root}",
        forget=source.forget,
        turns=_turns(settings),
        build_limits=replace(BUILD_LIMITS, memory=settings.build_memory_mb * MIB),
        sweep=builder.sweep,
        desk=build_desk(settings, db),
        beside=(guardian.lead, measuring.lead, resealing.lead),
    )


def build_desk(settings: Settings, db: Database) -> Desk:
    post = None
    if settings.smtp_url is not None:
        post = Post(mail.parse(settings.smtp_url), sender=settings.mail_sender)
    return Desk(db=db, post=post, site=settings.web_address, clock=utc_now)


def _turns(settings: Settings) -> Turns:
    kept = settings.memory_reserve_mb
    return Turns(
        rules=Rules(
            slots=settings.build_slots, wait=timedelta(seconds=settings.build_wait_seconds)
        ),
        memory=partial(memory.look, reserve=None if kept is None else kept * MIB),
    )


def _keys(home: Home) -> tuple[Opener, Sealer]:
    """Both follow a rotation, so that it needs no restart."""
    ring = Keyring(home.secrets)
    try:
        opener = Opener(ring.private, again=lambda: ring.private)
        return opener, Sealer(ring.public, now=Followed(home.secrets / "seal.pub"))
    except FileNotFoundError:
        raise NotSetUp from None


def _site(settings: Settings, host: Host, opener: Opener) -> Site:
    def unseal(environment_id: UUID, sealed: bytes) -> Mapping[str, str]:
        return orders.unpack(opener.open(sealed, context=orders.context(environment_id)))

    return Site(
        home=settings.layout,
        host=host,
        runtime="process",
        runtimes={"image": "docker"},
        clock=utc_now,
        address=Address(
            edge_port=settings.edge_port, base_domain=apps_domain(settings.base_domain)
        ),
        open=unseal,
    )


def _tools(
    settings: Settings, host: Host, source: Source
) -> tuple[Tools, ChosenBuilder, BuildStore]:
    home = settings.layout
    machine = Machine(home=home, host=host, unsafe=settings.unsafe_no_sandbox)
    networks = {"isolated": Network.INTERNET, "host": Network.HOST}
    workspace = WorkspaceBuilder(machine=machine, network=networks[settings.build_network])
    engine = docker.Engine(docker.address(settings.docker_host), home=home.root)
    images = _images(settings, engine)
    builder = ChosenBuilder(
        workspace=workspace, images=images, images_only=settings.runtime == "docker"
    )
    tools = Tools(
        source=source,
        detect=_detect(settings, engine),
        builder=builder,
        runtime=ChosenRuntime(
            processes=ProcessRuntime(machine), containers=DockerRuntime(engine, home)
        ),
        router=TraefikRouter(home.edge, port=settings.edge_port, sites=_sites(home)),
        probe=HttpProbe(),
        open_log=lambda one, secrets: FileSink(home.deployment_output(one), secrets=secrets),
        tail=_tail(home),
        pace=Pace(watch=timedelta(seconds=settings.watch_seconds)),
        cautions=partial(isolation.cautions, machine),
    )
    return tools, builder, BuildStore(workspace=workspace, images=images)


def _sites(home: Home) -> Callable[[], Awaitable[Sites]]:
    supervisor = Supervisor(home.supervisor_socket)

    async def sites() -> Sites:
        """The server of static sites, awake from the first one on."""
        found = await asyncio.to_thread(remembered, home)
        await supervisor.wake("static")
        await until_open(found, limit=SITES_WAKE)
        return found

    return sites


def _images(settings: Settings, engine: docker.Engine) -> DockerBuilder:
    networks = {"isolated": "default", "host": "host"}
    return DockerBuilder(
        engine,
        settings.layout,
        bases=BaseImages(
            python=settings.base_image_python,
            node=settings.base_image_node,
            procfile=settings.base_image_procfile,
        ),
        network=networks[settings.build_network],
    )


def _detect(settings: Settings, engine: docker.Engine) -> Detect:
    """A Dockerfile counts where an engine can build it, asked anew for each plan."""

    def look(path: Path, overrides: Overrides, names: frozenset[str]) -> Plan:
        images = settings.runtime == "docker" or (settings.runtime == "auto" and engine.answers())
        with Tree(path) as tree:
            return detect(tree, overrides=overrides, variables=names, images=images)

    return look


def _tail(home: Home) -> Callable[[UUID], Awaitable[Sequence[str]]]:
    async def tail(instance_id: UUID) -> Sequence[str]:
        """The collector is a moment behind the app."""
        await asyncio.sleep(0.2)
        folder = f"{places.instance_segments(str(home.root))}/{instance_id}"
        lines = await asyncio.to_thread(reader.backward, folder, None, limit=LAST_LINES)
        return [line.record.text.decode(errors="replace") for line in lines]

    return tail
