"""Options that many commands share, and the session they open."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import typer

from autostack.entrypoints.cli import link, store
from autostack.entrypoints.cli.client import Client, Json
from autostack.entrypoints.cli.errors import CliError

Project = Annotated[
    str | None, typer.Option("--project", "-p", help="Name or id; default: this directory's.")
]
Env = Annotated[str, typer.Option("--env", "-e", help="Environment.")]
Server = Annotated[
    str | None, typer.Option("--server", "-s", help="Server address; default: AUTOSTACK_SERVER.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Branch = Annotated[str | None, typer.Option("--branch", "-b", help="Branch, tag or commit.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

PRODUCTION = "production"


@dataclass(frozen=True)
class Target:
    """The server, the project and the environment a command is about; asked for when needed."""

    server: str | None = None
    named: str | None = None
    env: str = PRODUCTION

    @cached_property
    def client(self) -> Client:
        return Client(
            self.server or store.named_server() or link.server() or store.default_server()
        )

    @cached_property
    def project(self) -> Json:
        return link.find(self.client, self.named)

    @cached_property
    def environment(self) -> Json:
        return link.environment(self.client, self.project, self.env)

    @property
    def at(self) -> str:
        return f"/environments/{self.environment['id']}"

    @property
    def variables(self) -> str:
        name = self.environment["name"]
        return f"/projects/{self.project['id']}/environments/{name}/variables"


@contextmanager
def in_words() -> Generator[None]:
    """A failure is two sentences on stderr and an exit code, never a traceback."""
    try:
        yield
    except CliError as error:
        typer.echo(str(error), err=True)
        if error.hint:
            typer.echo(error.hint, err=True)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
