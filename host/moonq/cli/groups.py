"""Commands that hold others, and know what a misspelt one probably stands for."""

from __future__ import annotations

from collections.abc import Mapping

import click

from moonq.text import suggestions

#: So many commands are all named when none is like what was typed.
FEW = 8


class Group(click.Group):
    """A command that holds others."""

    aliases: Mapping[str, str] = {}
    """Other names of some of them."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* name.

        Raises:
            UsageError: There is none of that name.
        """
        name = args[0]
        is_option = name.startswith("-")
        if not (is_option or ctx.resilient_parsing or self.get_command(ctx, name)):
            raise click.UsageError(f"No such command {name!r}.{self._hint(ctx, name)}", ctx)
        return super().resolve_command(ctx, args)

    def _hint(self, ctx: click.Context, name: str) -> str:
        known = self.list_commands(ctx)
        close = suggestions.close(name, [*known, *self.aliases])
        if close:
            return f" Did you mean {' or '.join(map(repr, close))}?"
        return f" There are {', '.join(known)}." if len(known) <= FEW else ""
