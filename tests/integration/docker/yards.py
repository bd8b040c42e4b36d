"""A Docker runtime on the tests' engine, and images it can run."""

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID, uuid4

from autostack.core.home import Home
from autostack.drivers.builders.docker import DockerBuilder
from autostack.drivers.builders.docker_plan import BaseImages
from autostack.drivers.machine.docker import Client, Engine
from autostack.drivers.runtimes.docker import DockerRuntime
from autostack.engine.release import MIB, Artifact, InstanceSpec, Limits, NetworkPlace
from tests.docker import BASE, TestEngine
from tests.integration.runtimes.machines import SERVER

PORT = 8000


@dataclass(slots=True, kw_only=True)
class Yard:
    """A home of its own on an engine."""

    engine: Engine
    home: Home
    runtime: DockerRuntime
    image: str

    @classmethod
    def on(cls, engine: TestEngine, root: Path) -> Self:
        home = Home(root / "home")
        for folder in (home.instances, home.logs, home.caches):
            folder.mkdir(parents=True)
        asked = Engine(engine.host, home=home.root)
        runtime = DockerRuntime(asked, home)
        return cls(engine=asked, home=home, runtime=runtime, image=image_of(engine))

    @property
    def builder(self) -> DockerBuilder:
        return DockerBuilder(self.engine, self.home, bases=BaseImages(), network="none")

    def again(self) -> DockerRuntime:
        """Another runtime of the same platform, as after a restart of the worker."""
        return DockerRuntime(self.engine, self.home)

    def close(self) -> None:
        self.engine.close()

    def spec(
        self,
        *command: str,
        environment: UUID | None = None,
        memory: int = 128 * MIB,
        pids: int = 64,
        artifact: Artifact | None = None,
        **env: str,
    ) -> InstanceSpec:
        """Without a command the image's own serves HTTP."""
        one = uuid4()
        return InstanceSpec(
            id=one,
            project_id=one,
            environment_id=environment or one,
            release_id=one,
            process="web",
            artifact=artifact or Artifact(id=str(one), kind="image", location=self.image),
            command=command,
            env={"PORT": str(PORT), **env},
            uid=1,
            place=NetworkPlace(address="10.64.0.10", port=PORT),
            limits=Limits(memory=memory, pids=pids),
            output=self.home.instance_output(one),
        )


def image_of(engine: TestEngine) -> str:
    """The same server the process runtime is tested with, in an image."""
    lines = (f"FROM {BASE}", "WORKDIR /app", "COPY server.py .", 'CMD ["python3", "server.py"]')
    context = archive({"Dockerfile": "\n".join(lines), "server.py": SERVER})
    with engine.client() as client:
        return image(client, context)


def image(client: Client, context: io.BytesIO) -> str:
    """As `docker build -` makes it."""
    answer = client.post(
        f"{client.base_url}/v{client.api_version}/build",
        params={"rm": "1"},
        data=context,
        headers={"Content-Type": "application/x-tar"},
        stream=False,
        timeout=60,
    )
    told = [json.loads(line) for line in answer.content.splitlines() if line]
    return str(next(line["aux"]["ID"] for line in told if "aux" in line))


def archive(files: dict[str, str]) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    packed.seek(0)
    return packed
