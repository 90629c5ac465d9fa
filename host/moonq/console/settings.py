"""What `\\set` knows: each setting with its choices and one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from moonq.errors import Invalid
from moonq.text import suggestions


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
        Setting("pager", ("auto", "off"), "whether long output goes through a pager"),
        Setting("redact", ("on", "off"), "whether fields named by `redact:` are covered"),
        Setting("timing", ("off", "on"), "whether each statement says how long it took"),
    )
}


class Settings:
    """The settings of one console."""

    def __init__(self) -> None:
        self._values = {one.name: one.choices[0] for one in SETTINGS.values()}

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def set(self, name: str, value: str) -> None:
        """Choose a value.

        Raises:
            Invalid: There is no such setting, or it has other choices.
        """
        setting = _known(name)
        if value not in setting.choices:
            raise Invalid(
                f"{name} cannot be {value!r}", hint=f"choose from {', '.join(setting.choices)}"
            )
        self._values[name] = value

    def next_output(self) -> str:
        """Go on to the next output format and return its name."""
        choices = SETTINGS["output"].choices
        after = choices.index(self._values["output"]) + 1
        self._values["output"] = choices[after % len(choices)]
        return self._values["output"]


def _known(name: str) -> Setting:
    if name not in SETTINGS:
        close = suggestions.close(name, SETTINGS)
        hint = suggestions.question(close) or f"there are {', '.join(SETTINGS)}"
        raise Invalid(f"no setting is called {name!r}", hint=hint)
    return SETTINGS[name]
