"""Accounts, looked after on the server itself. What is used is imported when it is called."""

# ruff: noqa: PLC0415

import asyncio
from typing import Annotated

import typer

from autostack.entrypoints.cli import account, output, platform
from autostack.entrypoints.cli.options import AsJson

Who = Annotated[str, typer.Argument(metavar="EMAIL", help="The account's address.")]
Admin = Annotated[bool, typer.Option("--admin", help="Let them administer the platform.")]
Status = Annotated[bool, typer.Option("--status", help="Only say how far a rotation is.")]

commands = typer.Typer(
    no_args_is_help=True, help="Accounts of this machine's platform; run it on the server."
)


@commands.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show every account."""
    from autostack.entrypoints.local import people

    with platform.telling():
        found = asyncio.run(people.listed(platform.settings()))
        if as_json:
            output.as_json(found)
            return
        rows = [
            (
                output.plain(one["email"]),
                "administrator" if one["is_admin"] else "",
                "on" if one["second_factor"] else "off",
                (one["locked_until"] or "")[:16],
                one["created_at"][:10],
            )
            for one in found
        ]
        output.table(("EMAIL", "ROLE", "2ND FACTOR", "LOCKED UNTIL", "SINCE"), rows)


@commands.command("create-user")
def create_user(email: Who, admin: Admin = False) -> None:
    """Make an account, whatever AUTOSTACK_REGISTRATION says. The password is asked for."""
    from autostack.entrypoints.local import people

    with platform.telling():
        secret = account.password(confirm=True)
        made = people.created(platform.settings(), email, secret, is_admin=admin)
        typer.echo(f"Made {output.plain(asyncio.run(made))}.")


@commands.command("unlock")
def unlock(email: Who) -> None:
    """Lift the lock that wrong passwords made."""
    from autostack.entrypoints.local import people

    with platform.telling():
        asyncio.run(people.unlocked(platform.settings(), email))
        typer.echo("Unlocked.")


@commands.command("reset-totp")
def reset_totp(email: Who) -> None:
    """Turn the second factor of an account off, when phone and recovery codes are lost."""
    from autostack.entrypoints.local import people

    with platform.telling():
        asyncio.run(people.without_totp(platform.settings(), email))
        typer.echo("The second factor is off.")


@commands.command("reset-password")
def reset_password(email: Who) -> None:
    """Print a link that sets a new password, for a platform that sends no mail."""
    from autostack.entrypoints.local import people

    with platform.telling():
        link, code = asyncio.run(people.reset(platform.settings(), email))
        typer.echo(f"Good once, for an hour:\n  {link}")
        typer.echo(f"or `autostack password reset --code` and this code:\n  {code}")


@commands.command("rotate-keys")
def rotate_keys(status: Status = False) -> None:
    """Seal variables and credentials with a new key; the old one goes when nothing needs it."""
    from autostack.entrypoints.local import rotation

    with platform.telling():
        step = rotation.progress if status else rotation.begin
        found = asyncio.run(step(platform.settings()))
        typer.echo(_told(found.left, under_way=found.under_way))


def _told(left: int, *, under_way: bool) -> str:
    if not under_way:
        return "Everything is sealed with one key."
    if left:
        return f"{left} values are still sealed with the earlier key; the worker seals them anew."
    return "Everything is sealed with the new key; the earlier one goes within minutes."
