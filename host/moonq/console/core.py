"""The console without its screen: what happens with a block that was typed.

    console = Console(attached, face)
    console.enter("1 + 1")          # Lua
    console.enter("\\\\queues")        # a command
    console.enter("?queue.publish") # help

A `Face` is how it talks to a person: the terminal, or nothing but two streams.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from moonq.console import chunk, echo, manual
from moonq.console.chunk import Completeness
from moonq.console.ink import Ink
from moonq.console.live import Live
from moonq.console.running import Answer, Runner
from moonq.console.settings import Settings
from moonq.errors import HostSilent, MoonqError
from moonq.text.findings import render

if TYPE_CHECKING:
    from moonq.console.attaching import Attached
    from moonq.control.client import Client

_HELP = re.compile(r"\?\s*([A-Za-z_][\w.:]*)\s*$")


class Leave(Exception):
    """The person wants to go."""


class Face(Protocol):
    """How the console talks to whoever uses it; a question that cannot be asked is refused."""

    def ink(self) -> Ink:
        """Return what can be shown."""
        ...

    def show(self, lines: list[str]) -> None:
        """Show a result."""
        ...

    def fail(self, lines: list[str]) -> None:
        """Show what went wrong."""
        ...

    def write(self, text: str) -> None:
        """Show text as it comes, also while code runs; any thread may call."""
        ...

    def notice(self, text: str) -> None:
        """Say something that is not a result."""
        ...

    def confirms(self, question: str) -> bool:
        """Ask *question*.

        Raises:
            ConfirmationNeeded: Nobody is there to answer.
        """
        ...

    def asks(self, question: str) -> str:
        """Ask for a word.

        Raises:
            ConfirmationNeeded: Nobody is there to answer.
        """
        ...

    def typed(self) -> list[str]:
        """Return what was typed before, oldest first."""
        ...

    def top(self, reach: Callable[[], Client]) -> None:
        """Show the dashboard of the host that *reach* connects to, until it is left.

        Raises:
            MoonqError: There is no screen for it.
        """
        ...


class Console:
    """One person at one host."""

    def __init__(
        self,
        attached: Attached,
        face: Face,
        *,
        timeout: float | None = None,
        project: Path = Path(),
    ) -> None:
        self.attached = attached
        self.face = face
        self.folder = project.parent if project.is_file() else project
        """What the names of files stand below."""
        self.settings = Settings()
        self.live = Live(attached, face)
        self.last: Answer | None = None
        self.entered: list[str] = []
        """Every piece of Lua that went well, for `\\\\save`."""
        self._timeout = timeout
        self._runner = Runner(attached, lambda text: face.write(f"{text}\n"), face.notice)

    @property
    def client(self) -> Client:
        """The connection: another one after a session was given up."""
        return self.attached.client

    @property
    def is_production(self) -> bool:
        """Whether the host says that its project is in production."""
        return str(self.client.hello.get("profile")) == "production"

    def enter(self, text: str) -> bool:
        """Do what *text* says and show what came of it; whether it went well.

        Raises:
            Leave: It said to leave.
            HostSilent: The host is gone.
        """
        if not text.strip():
            return True
        # A terminal that calls itself ASCII hands other bytes on one by one.
        text = text.encode(errors="surrogateescape").decode(errors="replace")
        try:
            if text.lstrip().startswith("\\"):
                from moonq.console.commands import table as commands

                commands.run(self, text.strip())
                return True
            if asked := _HELP.match(text.strip()):
                self.face.show(manual.about(asked[1], self.face.ink()))
                return True
        except HostSilent:
            raise
        except MoonqError as problem:
            self.face.fail(echo.problem(problem, self.face.ink()))
            return False
        return self.evaluate(text).is_well

    def evaluate(self, text: str) -> Answer:
        """Run Lua, show what it answered, and remember it."""
        judged = chunk.judge(text)
        ink = self.face.ink()
        if judged.state is not Completeness.WHOLE and judged.finding:
            self.face.fail(drawn(judged, ink))
            return Answer("invalid", 0.0)
        answer = self.run(judged.text)
        tell = self.face.show if answer.is_well else self.face.fail
        tell(echo.lines(answer, judged, ink, self.settings["output"]))
        if self.settings["timing"] == "on":
            self.face.notice(f"took {answer.took * 1000:.1f} ms")
        self.last = answer
        if answer.is_well:
            self.entered.append(judged.text)
        return answer

    def run(self, source: str) -> Answer:
        """Run Lua without showing its answer.

        Raises:
            HostSilent: The host is gone.
        """
        answer = self._runner.run(source, width=self.face.ink().width, timeout=self._timeout)
        if isinstance(answer.problem, HostSilent):
            raise answer.problem
        if answer.status == "gone":
            self.live.begin_anew()
        return answer

    def request(self, kind: str, **fields: Any) -> Any:
        """Ask the host."""
        return self.client.request(kind, **fields)

    def close(self) -> None:
        """End what still runs for this console."""
        self.live.close()


def drawn(judged: chunk.Chunk, ink: Ink) -> list[str]:
    """Return what is wrong with a piece of Lua, in a frame."""
    findings = [judged.finding] if judged.finding else []
    text = render(findings, color=ink.color, width=ink.width, unicode=ink.unicode)
    return text.split("\n")
