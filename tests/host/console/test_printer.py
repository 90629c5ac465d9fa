"""A stream of lines never takes the screen away from whoever types."""

from __future__ import annotations

import threading

from moonq.console.printer import LINES, Printer


class Screen:
    """Holds the printer's first write until the test lets it go."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def write(self, text: str) -> None:
        self.writes.append(text)
        self.begun.set()
        assert self.go_on.wait(10)


def test_what_comes_between_two_ticks_is_cut_and_counted() -> None:
    screen = Screen()
    printer = Printer(screen.write)
    printer.line("first")
    assert screen.begun.wait(10)
    for number in range(1000):
        printer.line(f"line {number}")
    screen.go_on.set()
    printer.close()
    assert screen.writes[0] == "first\n"
    shown = screen.writes[1].splitlines()
    assert shown[:-1] == [f"line {number}" for number in range(LINES)]
    assert shown[-1] == f"… {1000 - LINES} more lines in 100 ms"


def test_a_line_alone_is_shown_as_it_is() -> None:
    screen = Screen()
    screen.go_on.set()
    printer = Printer(screen.write)
    printer.line("alone")
    printer.close()
    assert screen.writes == ["alone\n"]


def test_what_the_host_left_out_is_counted_too() -> None:
    written: list[str] = []
    printer = Printer(written.append)
    printer.skipped(412)
    printer.close()
    assert written == ["… 412 more lines in 100 ms\n"]
