r"""What `\set` knows: each setting with its choices and one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from moonq.control.lua_session import MOST_DEPTH
from moonq.errors import Invalid
from moonq.text import suggestions, theme


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; the first choice is the default."""

    name: str
    choices: tuple[str, ...]
    about: str
    most: int = 0
    """Any number from 1 to this one may be chosen, too."""

    def values(self) -> tuple[str, ...]:
        """Return what it can be, as people read it, the default first."""
        return (*self.choices, f"1..{self.most}") if self.most else self.choices


SETTINGS = {
    one.name: one
    for one in (
        Setting("output", ("lua", "json", "yaml", "table"), "how values are printed"),
        Setting("depth", ("8",), "how many tables inside tables are shown, as lua", MOST_DEPTH),
        Setting("pager", ("auto", "less", "off"), "how long output is shown"),
        Setting("redact", ("on", "off"), "whether fields named by `redact:` are covered"),
        Setting("theme", tuple(theme.THEMES), "colours for a dark or a light background; or both"),
        Setting("timing", ("off", "on"), "whether each statement says how long it took"),
    )
}


def defaults() -> dict[str, str]:
    """Return every setting with its default; the theme may have been chosen before."""
    return {one.name: one.choices[0] for one in SETTINGS.values()} | {"theme": theme.chosen().name}


def chosen(name: str, value: str) -> str:
    """Return *value* when the setting *name* can have it.

    Raises:
        Invalid: No setting is called so, or it has other choices.
    """
    if name not in SETTINGS:
        close = suggestions.close(name, SETTINGS)
        hint = suggestions.question(close) or f"there are {', '.join(SETTINGS)}"
        raise Invalid(f"no setting is called {name!r}", hint=hint)
    setting = SETTINGS[name]
    is_number = value.isdecimal() and 1 <= int(value) <= setting.most
    if value not in setting.choices and not is_number:
        hint = f"choose from {', '.join(setting.values())}"
        raise Invalid(f"{name} cannot be {value!r}", hint=hint)
    return value


def depth(settings: Mapping[str, str]) -> int | None:
    """Return how deep the host is to show values; None for its own default."""
    chosen = settings["depth"]
    return None if chosen in SETTINGS["depth"].choices else int(chosen)
