"""Whether every colour can be read: its contrast is computed, as WCAG 2.2 defines it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from prompt_toolkit.styles import Attrs, default_ui_style, merge_styles

from moonq import log
from moonq.text import theme
from moonq.text.theme import ANSI, BACKGROUNDS, CUBE, LUA_STYLES, STYLES, THEMES, TRUE
from moonq.views import Screen, coloring

#: The 16 colours as xterm and as the VGA text mode draw them.
XTERM = (
    *("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"),
    *("#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"),
)
VGA = (
    *("#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa"),
    *("#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff"),
)
#: What is read on the background of the terminal, so all but what has a colour behind it.
PLAIN = [name for name, style in STYLES.items() if style.ink and not style.behind]
ENOUGH = 4.5


def luminance(color: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.fixture(autouse=True)
def _chosen_again() -> Iterator[None]:
    yield
    theme.choose("auto")


def test_the_contrast_is_what_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#0000cd", "#000000") < 2, "dark blue cannot be read on black"


@pytest.mark.parametrize("style", PLAIN)
@pytest.mark.parametrize("colors", [TRUE, CUBE])
@pytest.mark.parametrize(
    ("name", "background"), [(name, one) for name, every in BACKGROUNDS.items() for one in every]
)
def test_every_colour_can_be_read_on_every_background_of_its_theme(
    name: str, background: str, colors: int, style: str
) -> None:
    ink = THEMES[name].ink(style, colors)
    assert ink is not None
    assert contrast(ink.on(colors), background) >= ENOUGH


@pytest.mark.parametrize("palette", [XTERM, VGA])
@pytest.mark.parametrize(("name", "background"), [("dark", "#000000"), ("light", "#ffffff")])
def test_so_can_those_of_a_terminal_with_sixteen(
    name: str, background: str, palette: tuple[str, ...]
) -> None:
    inks = [THEMES[name].ink(style, ANSI) for style in PLAIN]
    found = {palette[ink.ansi] for ink in inks if ink and ink.ansi is not None}
    assert len(found) >= 3
    assert min(contrast(one, background) for one in found) >= ENOUGH


def test_none_of_sixteen_suits_both_so_there_bold_has_to_do() -> None:
    suits = [min(contrast(one, "#000000"), contrast(one, "#ffffff")) for one in (*XTERM, *VGA)]
    assert max(suits) < ENOUGH
    assert THEMES["auto"].paint("bad", "dead", ANSI) == "dead"
    assert THEMES["auto"].paint("error", "dead", ANSI) == "\x1b[1mdead\x1b[0m"


@pytest.mark.parametrize("name", ["auto", "dark", "light"])
def test_an_alarm_brings_its_background_along(name: str) -> None:
    white, red = (THEMES[name].inks[one] for one in ("white", "red"))
    for colors in (TRUE, CUBE):
        assert contrast(white.on(colors), red.on(colors)) >= ENOUGH
    for palette in (XTERM, VGA):
        assert contrast(palette[white.ansi or 0], palette[red.ansi or 0]) >= ENOUGH
    assert THEMES[name].codes("alarm", ANSI) == "1;97;41"


def test_without_colours_what_stands_out_is_reversed() -> None:
    assert {THEMES["none"].codes(style, TRUE) for style in STYLES} == {"", "1", "7", "1;7"}
    assert THEMES["none"].codes("alarm", TRUE) == "1;7"


# One theme, whoever draws -----------------------------------------------------------------------


def codes(text: str) -> set[str]:
    """The colours of text in *text*, as parameters of escape sequences."""
    return set(re.findall(r"(?:38;5;\d+|38;2;\d+;\d+;\d+|(?<=[\[;])(?:3|9)[0-7](?=[;m]))", text))


@pytest.mark.parametrize(("term", "colors"), [("xterm-256color", CUBE), ("linux", ANSI)])
@pytest.mark.parametrize("name", ["dark", "light"])
def test_rich_and_the_log_draw_in_its_colours_alone(
    monkeypatch: pytest.MonkeyPatch, name: str, term: str, colors: int
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("COLORTERM", raising=False)
    theme.choose(name)
    screen = Screen(color=True, width=60)
    text = "# A head\n\n1. one `two` [three](http://x)\n\n> said\n\n---\n\n    return 7 -- so\n"
    drawn = [*screen.markdown(text), screen.lua('local x = { 1, "a" } -- x')]
    drawn += [*screen.lines(screen.text("error", "error")), screen.paint("head", "x")]
    record = log.logging.makeLogRecord({"name": "app:f", "msg": "hot", "levelname": "ERROR"})
    drawn.append(log.PrettyFormatter(color=True).format(record))
    wanted = {THEMES[name].codes(style, colors) for style in ("bad", "good", "warn", "note", "dim")}
    found = codes("".join(drawn))
    assert found
    assert found <= wanted


CLASSES = [
    *("bottom-toolbar", "refusal", "signature", "auto-suggestion", "aborting", "exiting"),
    *("control-character", *(f"pygments.{word}" for word in LUA_STYLES)),
]
MENUS = [
    *("production", "completion-menu", "completion-menu completion-menu.completion.current"),
    *("completion-menu.meta.completion", "completion-menu.meta.completion.current"),
]


def attributes(name: str, classes: str) -> Attrs:
    made = merge_styles([default_ui_style(), coloring.style(THEMES[name])])
    return made.get_attrs_for_style_str(" ".join(f"class:{one}" for one in classes.split()))


@pytest.mark.parametrize("env", [{"COLORTERM": "truecolor"}, {"TERM": "xterm-256color"}])
@pytest.mark.parametrize("name", ["auto", "dark", "light"])
def test_what_is_typed_and_what_stands_below_can_be_read(
    monkeypatch: pytest.MonkeyPatch, name: str, env: dict[str, str]
) -> None:
    monkeypatch.delenv("COLORTERM", raising=False)
    for key, value in env.items():
        monkeypatch.setenv(key, value)
    for one in CLASSES:
        color = attributes(name, one).color
        assert all(contrast(f"#{color}", behind) >= ENOUGH for behind in BACKGROUNDS[name]), one
    for one in MENUS:
        found = attributes(name, one)
        assert contrast(f"#{found.color}", f"#{found.bgcolor}") >= ENOUGH, one
    status = attributes(name, "bottom-toolbar status")
    assert (status.color, status.bgcolor, status.reverse) == ("default", "", True)
