"""Signing in and out."""

import os
from typing import Annotated

import typer

from autostack.entrypoints.cli import output, store, teams
from autostack.entrypoints.cli.client import Client
from autostack.entrypoints.cli.errors import CliError
from autostack.entrypoints.cli.options import AsJson, Server, Target, in_words

Email = Annotated[str, typer.Option("--email", prompt=True, help="The account's address.")]
SessionId = Annotated[str | None, typer.Argument(help="From `autostack sessions list`.")]
HaveCode = Annotated[bool, typer.Option("--code", help="I have a code; send no letter.")]
SetupCode = Annotated[
    bool, typer.Option("--setup-code", help="Ask for the code that `autostack up` printed.")
]

Invited = Annotated[
    bool, typer.Option("--invited", help="I have an invitation into a team; ask for its code.")
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
        _sign_in(client, email, password())
        typer.echo(f"Signed in to {client.server} as {email}.")


def _sign_in(client: Client, email: str, secret: str) -> None:
    """Asks for the second factor when the account has one."""
    try:
        client.login(email, secret)
    except CliError as error:
        if error.code != "second_factor_needed":
            raise
        client.login(email, secret, code=typer.prompt("Code of your authenticator"))


def register(
    email: Email,
    server: Server = None,
    setup_code: SetupCode = False,
    invited: Invited = False,
) -> None:
    """Create an account and sign in."""
    with in_words():
        client = Target(server).client
        secret = password(confirm=True)
        body = {"email": email, "password": secret}
        if setup_code:
            body["setup_code"] = typer.prompt("Setup code", hide_input=True)
        if invited:
            body["invitation"] = teams.invitation()
        client.post("/auth/register", body)
        client.login(email, secret)
        typer.echo(f"Registered and signed in to {client.server} as {email}.")


password_commands = typer.Typer(no_args_is_help=True, help="Your password.")


@password_commands.command("change")
def password_change(server: Server = None) -> None:
    """Set another password; you are signed out everywhere else."""
    with in_words():
        client = Target(server).client
        current = typer.prompt("Current password", hide_input=True)
        new = _new_password()
        body = {"current_password": current, "new_password": new}
        typer.echo(client.post("/auth/password", body)["detail"])


@password_commands.command("reset")
def password_reset(email: Email, have_code: HaveCode = False, server: Server = None) -> None:
    """Get a code by mail, or from the administrator, and set a new password with it."""
    with in_words():
        client = Target(server).client
        if not have_code:
            typer.echo(client.post("/auth/password/reset", {"email": email})["detail"])
        token = typer.prompt("Code", hide_input=True).strip()
        body = {"token": token, "new_password": _new_password()}
        done = client.post("/auth/password/reset/confirm", body)
        store.remember_device(client.server, email, done["device_token"])
        typer.echo(done["detail"])


def _new_password() -> str:
    asked: str = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    return asked


totp_commands = typer.Typer(no_args_is_help=True, help="The second factor: an authenticator.")


@totp_commands.command("on")
def totp_on(server: Server = None) -> None:
    """Set an authenticator up, and get recovery codes."""
    with in_words():
        client = Target(server).client
        made = client.post("/auth/totp", {"password": password()})
        typer.echo(f"Add this key to your authenticator: {made['secret']}\nor open {made['uri']}")
        code = typer.prompt("The code it shows")
        found = client.post("/auth/totp/confirm", {"code": code})["recovery_codes"]
        typer.echo("It is on. Keep these codes; each lets you in once without the authenticator:")
        for one in found:
            typer.echo(f"  {one}")


@totp_commands.command("off")
def totp_off(server: Server = None) -> None:
    """Sign in with the password alone again."""
    with in_words():
        client = Target(server).client
        body = {"password": password(), "code": typer.prompt("Code")}
        typer.echo(client.post("/auth/totp/remove", body)["detail"])


sessions_commands = typer.Typer(no_args_is_help=True, help="Where you are signed in.")


@sessions_commands.command("list")
def sessions_list(server: Server = None, as_json: AsJson = False) -> None:
    """Show every place where this account is signed in."""
    with in_words():
        found = Target(server).client.get("/auth/sessions")["items"]
        if as_json:
            output.as_json(found)
            return
        rows = [
            (
                one["id"],
                "this one" if one["current"] else one["used_at"][:16],
                one["address"],
                output.plain(one["user_agent"])[:40],
            )
            for one in found
        ]
        output.table(("ID", "USED", "FROM", "WITH"), rows)


@sessions_commands.command("end")
def sessions_end(session_id: SessionId = None, server: Server = None) -> None:
    """Sign out there; without an id everywhere but here."""
    with in_words():
        client = Target(server).client
        client.delete(f"/auth/sessions/{session_id}" if session_id else "/auth/sessions")
        typer.echo("Signed out there.")


def logout(server: Server = None) -> None:
    """End the session kept on this machine."""
    with in_words():
        client: Client = Target(server).client
        client.logout()
        typer.echo(f"Signed out of {client.server}.")
