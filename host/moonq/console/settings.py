r"""What `\set` knows: each setting with its choices and one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from moonq.errors import Invalid
from moonq.text import suggestions, theme


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; the first choice is the default."""

    name: str
    choices: tuple[str, ...]
    about: str


SETTINGS = {
    one.name: one
    for one in (
        Setting("output", ("lua", "json", "yaml", "table"), "how values are printed"),
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
    choices = SETTINGS[name].choices
    if value not in choices:
        raise Invalid(f"{name} cannot be {value!r}", hint=f"choose from {', '.join(choices)}")
    return value
