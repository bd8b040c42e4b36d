"""Where things lie under AUTOSTACK_HOME. Paths only; nobody is created here."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Home:
    """Layout of one platform's directory. Everything is derived from `root`."""

    root: Path

    @property
    def secrets(self) -> Path:
        """Keys, 0700: `secret.key` (signs tokens), `seal.pub` (api), `seal.key` (worker only)."""
        return self.root / "secrets"

    @property
    def run(self) -> Path:
        """Sockets and pid files; gone after a reboot without loss."""
        return self.root / "run"

    @property
    def supervisor_socket(self) -> Path:
        return self.run / "supervisor.sock"

    @property
    def postgres(self) -> Path:
        """Data directory of the embedded PostgreSQL."""
        return self.root / "postgres"

    @property
    def reserve(self) -> Path:
        """Room that is given up when the disk is full, so that the database lives on."""
        return self.root / "reserve"

    @property
    def edge(self) -> Path:
        """Traefik: `static.yml`, `routes/` (watched), `staging/` (same file system, unwatched)."""
        return self.root / "edge"

    @property
    def mirrors(self) -> Path:
        """Bare Git mirrors, one a repository."""
        return self.root / "mirrors"

    @property
    def uploads(self) -> Path:
        return self.root / "uploads"

    @property
    def trees(self) -> Path:
        """Exported source trees, keyed by project and SHA."""
        return self.root / "trees"

    @property
    def artifacts(self) -> Path:
        """Sealed build results of the workspace builder, one directory a release."""
        return self.root / "artifacts"

    @property
    def caches(self) -> Path:
        """Build caches, one directory a project."""
        return self.root / "caches"

    @property
    def toolchains(self) -> Path:
        """Language runtimes fetched for builds, shared read-only."""
        return self.root / "toolchains"

    @property
    def instances(self) -> Path:
        """One directory an instance: launch description, state of its init."""
        return self.root / "instances"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def instance_output(self, instance_id: UUID) -> Path:
        """What an instance prints, raw; opened append-only by its launcher."""
        return self.logs / "spool" / "instances" / f"{instance_id}.out"

    def deployment_output(self, deployment_id: UUID) -> Path:
        """What the platform says about a deployment and what its build prints: JSON lines,
        appended by the worker only.
        """
        return self.logs / "spool" / "deployments" / f"{deployment_id}.jsonl"

    def run_output(self, run_id: UUID) -> Path:
        """What a command that was run once printed: JSON lines, appended by the worker only."""
        return self.logs / "spool" / "runs" / f"{run_id}.jsonl"

    def platform_log(self, program: str) -> Path:
        return self.logs / "platform" / f"{program}.log"
