"""What the keys do at the prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, completion_is_selected, has_completions
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from moonq.console import chunk
from moonq.errors import Finding


@dataclass(slots=True)
class Refusal:
    """The text that Enter refused last, and why; a second Enter in a row runs it."""

    is_shown: bool = True
    """Whether there is a place below the prompt to say why; without one nothing is refused."""
    text: str = ""
    message: str = ""

    def forget(self) -> None:
        """Refuse the same text anew."""
        self.text = self.message = ""


def bindings(
    refusal: Refusal,
    interrupt: Callable[[], None],
    detach: Exception,
    has_more: Callable[[], bool] = lambda: False,
) -> KeyBindings:
    """Return the keys that are the console's own; the rest are readline's.

    While *has_more*, Space shows more of a long output, as Enter does where nothing is typed.
    """
    keys = KeyBindings()

    @keys.add(" ", filter=Condition(lambda: has_more() and not get_app().current_buffer.text))
    def _more(event: KeyPressEvent) -> None:
        """Show more of a long output, where nothing is typed."""
        event.current_buffer.validate_and_handle()

    @keys.add("enter", filter=completion_is_selected)
    def _accept(event: KeyPressEvent) -> None:
        """Take what is chosen in the list of completions."""
        event.current_buffer.complete_state = None

    @keys.add("enter", filter=~completion_is_selected)
    def _enter(event: KeyPressEvent) -> None:
        """Run what is whole, or begin a line; what cannot be right runs the second time."""
        enter(event.current_buffer, refusal)

    @keys.add("tab", filter=Condition(_is_at_indent))
    def _indent(event: KeyPressEvent) -> None:
        """Indent, at the beginning of a line behind the first; complete elsewhere."""
        # Nothing can be completed there, and a terminal that does not mark what is pasted sends it.
        event.current_buffer.insert_text("\t")

    @keys.add("escape", "enter")
    @keys.add("c-j")
    def _newline(event: KeyPressEvent) -> None:
        """Begin a line, whatever stands there."""
        event.current_buffer.insert_text("\n")

    @keys.add("c-c", filter=has_completions)
    def _close_menu(event: KeyPressEvent) -> None:
        """Close the list of completions."""
        event.current_buffer.cancel_completion()

    @keys.add("c-c", filter=~has_completions)
    def _clear(event: KeyPressEvent) -> None:
        """Clear what is typed, which the history keeps; alone, stop what runs."""
        refusal.forget()
        if event.current_buffer.text:
            # The draft goes into the history: one key brings it back.
            event.current_buffer.reset(append_to_history=True)
        else:
            interrupt()

    @keys.add("c-\\")
    def _detach(event: KeyPressEvent) -> None:
        """Leave; a host that was attached to stays up."""
        event.app.exit(exception=detach, style="class:exiting")

    return keys


def _is_at_indent() -> bool:
    """Say whether a line behind the first one has nothing but blanks before the caret."""
    document = get_app().current_buffer.document
    return document.cursor_position_row > 0 and not document.current_line_before_cursor.strip()


def enter(buffer: Buffer, refusal: Refusal) -> None:
    """Run what is whole, begin a line in what is not, and refuse the rest once."""
    text = buffer.text
    if chunk.is_for_console(text):
        buffer.validate_and_handle()
        return
    judged = chunk.judge(text)
    if judged.is_incomplete:
        _new_line(buffer)
    elif judged.finding and refusal.is_shown and refusal.text != text:
        refusal.text = text
        refusal.message = _complaint(judged.finding)
        # The text that was judged may have lost its leading `=`.
        buffer.cursor_position = judged.caret + len(text) - len(judged.text)
    else:
        refusal.forget()
        buffer.validate_and_handle()


def _new_line(buffer: Buffer) -> None:
    line = buffer.document.current_line
    better = chunk.outdented(line) if buffer.document.is_cursor_at_the_end else line
    if better != line:
        buffer.delete_before_cursor(len(line))
        buffer.insert_text(better)
    buffer.insert_text("\n" + chunk.indent_after(buffer.document.current_line_before_cursor))


def _complaint(finding: Finding) -> str:
    helps = f" · {finding.helps[0]}" if finding.helps else ""
    return f"{finding.message}{helps} · Enter again runs it anyway"
