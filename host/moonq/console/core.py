"""The console without its screen: one person at one host.

    console = Console(attached, face)
    console.evaluate("1 + 1")

What was typed is either Lua, and comes here, or a command; `entering` tells them apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from moonq.console import chunk, documents, echo, settings
from moonq.console.face import Face
from moonq.console.live import Live
from moonq.console.running import Answer, Runner
from moonq.errors import Finding, HostSilent
from moonq.text.plain import printed
from moonq.text.wording import lasted

if TYPE_CHECKING:
    from moonq.control.client import Client
    from moonq.control.reaching import Reached


class Console:
    """One person at one host."""

    def __init__(
        self,
        attached: Reached,
        face: Face,
        *,
        timeout: float | None = None,
        project: Path = Path(),
    ) -> None:
        self.attached = attached
        self.face = face
        self.folder = project.parent if project.is_file() else project
        """What the names of files stand below."""
        self.settings = settings.defaults()
        self.live = Live(attached, face)
        self.last: Answer | None = None
        self.entered: list[str] = []
        """Every piece of Lua that went well, for `\\\\save`."""
        self._timeout = timeout
        self._runner = Runner(attached, lambda text: face.write(f"{printed(text)}\n"), face.notice)

    @property
    def client(self) -> Client:
        """The connection: another one after a session was given up."""
        return self.attached.client

    @property
    def is_production(self) -> bool:
        """Whether the host says that its project is in production."""
        return self.attached.is_production

    def evaluate(self, text: str) -> Answer:
        """Run Lua, show what it answered, and remember it."""
        judged = chunk.judge(text)
        if judged.finding:
            self.refuse(judged.finding)
            return Answer("invalid", 0.0)
        answer = self.run(judged.code)
        self.tell(answer, judged)
        if self.settings["timing"] == "on":
            self.face.notice(f"took {lasted(answer.took)}")
        self.last = answer
        if answer.is_well:
            self.entered.append(judged.text)
        return answer

    def execute(self, name: str, text: str) -> Answer:
        """Run the whole of a Lua file called *name*, and show only what goes wrong."""
        answer = self.run(text, file=name)
        if answer.is_well:
            self.entered.append(text)
        else:
            self.tell(answer, chunk.Chunk(text))
        return answer

    def refuse(self, finding: Finding) -> None:
        """Say why a text is no Lua."""
        if self.face.is_program:
            self.face.complain(documents.error_of_finding(finding))
        else:
            self.face.fail(self.face.screen().findings([finding]))

    def tell(self, answer: Answer, judged: chunk.Chunk) -> None:
        """Show what came of the Lua in *judged*."""
        if not self.face.is_program:
            tell = self.face.show if answer.is_well else self.face.fail
            tell(echo.lines(answer, judged, self.face.screen(), self.settings["output"]))
        elif not answer.is_well:
            self.face.complain(documents.error_of_answer(answer))
        elif not judged.is_muted:
            self.face.answer(documents.SCHEMA, documents.of_answer(answer))

    def run(self, source: str, file: str = "") -> Answer:
        """Run Lua without showing its answer: a statement, or all of a *file*.

        Raises:
            HostSilent: The host is gone.
        """
        width = self.face.screen().room
        answer = self._runner.run(
            source,
            file=file,
            width=width,
            timeout=self._timeout,
            marked=not self.face.is_program,
            depth=settings.depth(self.settings),
        )
        if isinstance(answer.problem, HostSilent):
            raise answer.problem
        if answer.status == "gone":
            self.live.begin_anew()
        return answer

    def request(self, kind: str, **fields: Any) -> Any:
        """Ask the host."""
        return self.attached.request(kind, **fields)

    def close(self) -> None:
        """End what still runs for this console."""
        self.live.close()
