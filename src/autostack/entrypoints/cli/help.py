"""Help in sections, without rich: it would cost a quarter of a second of every `--help`."""

from typing import Any

from typer.core import TyperGroup


class Sections(TyperGroup):
    """A group whose help lists its commands under the headings they were registered with."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's own click
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                heading = str(getattr(command, "rich_help_panel", None) or "Commands")
                told = command.get_short_help_str(limit=200)
                sections.setdefault(heading, []).append((name, told))
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)
