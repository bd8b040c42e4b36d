"""The dashboard's files on this machine."""

import typer

from autostack.entrypoints import built

commands = typer.Typer(help="The dashboard in the browser.", no_args_is_help=True)


@commands.command()
def build() -> None:
    """Build the dashboard of a checkout with Node, the machine's or the one from PyPI. A running
    platform serves it at once.
    """
    code = built.build()
    if code is None:
        typer.echo("This installation brought its dashboard along; there is nothing to build.")
    raise typer.Exit(code or 0)


@commands.callback()
def group() -> None:
    """Commands about the dashboard."""
