"""The `autostack` command."""

import typer

from autostack.entrypoints.cli import platform

app = typer.Typer(no_args_is_help=True)
app.command()(platform.up)
app.command()(platform.down)
app.command()(platform.status)
app.command()(platform.doctor)
app.add_typer(platform.service_commands, name="service")


def run() -> None:
    app()


if __name__ == "__main__":
    run()
