"""Which builder a plan is for."""

from dataclasses import dataclass

from autostack.drivers.builders.docker import KIND, DockerBuilder
from autostack.drivers.builders.workspace import WorkspaceBuilder
from autostack.engine.plan import Family, Plan
from autostack.engine.ports import Builder, BuildSpec, LogSink
from autostack.engine.release import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenBuilder:
    """Images for projects with a Dockerfile, directories for others. With `images_only` all that
    runs becomes an image; a site of files is served by the platform and needs none.
    """

    workspace: WorkspaceBuilder
    images: DockerBuilder
    images_only: bool = False

    async def build(self, spec: BuildSpec, *, log: LogSink) -> Artifact:
        return await self._for(spec.plan).build(spec, log=log)

    async def remove(self, artifact: Artifact) -> None:
        builder: Builder = self.images if artifact.kind == KIND else self.workspace
        await builder.remove(artifact)

    async def sweep(self) -> None:
        """Remove what builds that were cut off left; an engine removes its own."""
        await self.workspace.sweep()

    def _for(self, plan: Plan) -> Builder:
        runs = bool(plan.processes)
        if plan.family is Family.DOCKERFILE or (self.images_only and runs):
            return self.images
        return self.workspace
