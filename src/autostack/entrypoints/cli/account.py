"""Signing in and out."""

import os
from typing import Annotated

import typer

from autostack.entrypoints.cli.client import Client
from autostack.entrypoints.cli.options import Server, Target, in_words

Email = Annotated[str, typer.Option("--email", prompt=True, help="The account's address.")]
SetupCode = Annotated[
    bool, typer.Option("--setup-code", help="Ask for the code that `autostack up` printed.")
]


def password(*, confirm: bool = False) -> str:
    """From AUTOSTACK_PASSWORD or the terminal, never from the command line."""
    given = os.environ.get("AUTOSTACK_PASSWORD")
    if given is not None:
        return given
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=confirm)
    return asked


def login(email: Email, server: Server = None) -> None:
    """Sign in to a server; it becomes the default one."""
    with in_words():
        client = Target(server).client
        client.login(email, password())
        typer.echo(f"Signed in to {client.server} as {email}.")


def register(email: Email, server: Server = None, setup_code: SetupCode = False) -> None:
    """Create an account and sign in."""
    with in_words():
        client = Target(server).client
        secret = password(confirm=True)
        body = {"email": email, "password": secret}
        if setup_code:
            body["setup_code"] = typer.prompt("Setup code", hide_input=True)
        client.post("/auth/register", body)
        client.login(email, secret)
        typer.echo(f"Registered and signed in to {client.server} as {email}.")


def logout(server: Server = None) -> None:
    """End the session kept on this machine."""
    with in_words():
        client: Client = Target(server).client
        client.logout()
        typer.echo(f"Signed out of {client.server}.")
