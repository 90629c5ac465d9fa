"""Reads a page as a person would who tries all of it, and complains where it is not true."""

from __future__ import annotations

import difflib
import json
import re
import shlex
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.manual import commands, pieces
from tests.manual.likeness import Alike, in_time
from tests.manual.page import Block, blocks_of
from tests.manual.talk import Talk, entered, is_look
from tests.manual.terminal import Second, at_terminal

from moonq.cli.failures import guarded
from moonq.cli.options import Options

#: Seconds in which what a page shows comes true, also on a busy machine.
PATIENCE = 30.0
#: Commands that change nothing: they are asked again until the host has come as far as the page.
LOOKS = {"dead ls", "dead show", "dead", "eval", "peek", "queues", "status"}


class Reader:
    """One reader of one page, in a project of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self._alike = Alike()
        self._code = 0
        self._second: Second | None = None
        self._talk: Talk | None = None
        self._reading: dict[str, Callable[[Block], object]] = {
            "console": self._type,
            "json": lambda block: json.loads(block.text),
            "lua": self._read_lua,
            "lua-repl": self._converse,
            "python": lambda block: compile(block.text, block.place, "exec"),
            "sh": commands.check,
            "toml": lambda block: tomllib.loads(block.text),
            "yaml": pieces.check_yaml,
        }

    def read_page(self, path: Path) -> None:
        """Do what each block of the page at *path* shows."""
        for block in blocks_of(path):
            self.read(block)

    def read(self, block: Block) -> None:
        """Do what *block* shows."""
        assert block.language, f"{block.place}: a fence says its language; `text` is one, too"
        if name := block.words.get("title"):
            _write(Path(name), block.text)
        elif name := block.words.get("add-to"):
            _write(Path(name), Path(name).read_text("utf-8") + block.text)
        elif "needs" in block.words:
            commands.check(block)
        elif read := self._reading.get(block.language):
            try:
                read(block)
            except (ValueError, SyntaxError, yaml.YAMLError) as problem:
                raise AssertionError(f"{block.place}: {problem}") from None

    def close(self) -> None:
        """Leave nothing behind."""
        if self._talk:
            self._talk.close()
        if self._second:
            self._second.close()

    # What is typed --------------------------------------------------------------------------------

    def _type(self, block: Block) -> None:
        before, *rest = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
        if before:
            self._look_at_second(block, before)
        for one in rest:
            typed, shown = commands.split(one)
            self._enter(block, typed, shown)

    def _enter(self, block: Block, typed: str, shown: str) -> None:
        name, *args = self._without_variables(shlex.split(self._alike.put_in(typed)))
        if name == "cd":
            self._patch.chdir(args[0])
        elif name == "cat":
            self._compare(block, typed, shown, Path(args[0]).read_text("utf-8"))
        elif [name, *args] == ["echo", "$?"]:
            self._compare(block, typed, shown, f"{self._code}\n")
        elif name != "moonq":
            raise AssertionError(f"{block.place}: {typed}: only moonq, cd, cat and `echo $?` run")
        elif args[0] == "repl" and not {"-e", "-f"} & set(args):
            self._begin_talk(block, typed, shown, args[1:])
        elif args[0] == "run" and "--until-idle" not in args:
            self._begin_second(block, shown, args)
        else:
            self._run(block, typed, shown, args)

    def _without_variables(self, words: list[str]) -> list[str]:
        while pair := re.match(r"([A-Z_]+)=(.*)", words[0]):
            self._patch.setenv(pair[1], pair[2])
            words = words[1:]
        return words

    def _run(self, block: Block, typed: str, shown: str, args: list[str]) -> None:
        name = " ".join(args[:2]) if args[0] == "dead" else args[0]
        self._compare(block, typed, shown, lambda: self._say(shown, args), again=name in LOOKS)
        if not shown.strip():
            assert self._code == 0, f"{block.place}: {typed}: it ended with {self._code}"

    def _say(self, shown: str, args: list[str]) -> str:
        """Run moonq, answer its questions as is *shown*, and return what it said."""
        with at_terminal(shown) as paper:
            self._code = guarded(args, Options())
        return paper.getvalue()

    def _begin_talk(self, block: Block, typed: str, shown: str, args: list[str]) -> None:
        if self._talk:
            self._talk.close()
        self._talk = Talk(args)
        self._compare(block, typed, shown, self._talk.greeting)

    def _converse(self, block: Block) -> None:
        assert self._talk, f"{block.place}: no `$ moonq repl` stands before it"
        for prompt, typed, shown in entered(block):
            assert prompt == self._talk.prompt, f"{block.place}: it is {self._talk.prompt}"
            put_in = self._alike.put_in(typed)

            def say(put_in: str = put_in, shown: str = shown) -> str:
                assert self._talk
                return self._talk.enter(put_in, shown)

            self._compare(block, typed, shown, say, again=is_look(typed))

    def _read_lua(self, block: Block) -> None:
        """Check a piece of Lua; one with `--> value` is evaluated, step by step."""
        if "-->" not in block.text:
            pieces.check_lua(block)
            return
        talk = Talk(["--local"])
        try:
            for typed, noted in pieces.steps(block):
                said = talk.enter(typed, "")
                is_well = pieces.is_value(said, noted) if noted else not said.startswith("error")
                _complain_unless(is_well, block, typed, noted, said)
        finally:
            talk.close()

    # The second terminal --------------------------------------------------------------------------

    def _begin_second(self, block: Block, shown: str, args: list[str]) -> None:
        if self._second:
            self._second.close()
        self._second = self._open_terminal(args)
        self._look_at_second(block, shown)

    def _open_terminal(self, args: list[str]) -> Second:
        return Second([sys.executable, "-m", "moonq", *args], Path.cwd())

    def _look_at_second(self, block: Block, shown: str) -> None:
        """Wait until the host has said what is *shown*; `^C` in it is typed."""
        second = self._second
        assert second, f"{block.place}: no `$ moonq run` stands before it"
        before, key, after = in_time(shown).partition("...\n^C\n")
        if not self._wait(lambda: self._has_said(second, before)):
            _complain(block, "moonq run", before, second.said)
        if key:
            second.interrupt()
            self._wait(lambda: second.is_over)
            _complain_unless(self._has_said(second, after), block, "^C", after, second.said)

    def _has_said(self, second: Second, shown: str) -> bool:
        end = self._alike.end_of(shown, second.said)
        second.take(end or 0)
        return end is not None

    # Comparing ------------------------------------------------------------------------------------

    def _compare(
        self,
        block: Block,
        typed: str,
        shown: str,
        said: str | Callable[[], str],
        *,
        again: bool = False,
    ) -> None:
        last = ""

        def is_alike() -> bool:
            nonlocal last
            last = _tidy(said if isinstance(said, str) else said())
            return not shown.strip() or self._alike.holds(_tidy(shown), last)

        is_well = self._wait(is_alike) if again else is_alike()
        _complain_unless(is_well, block, typed, shown, last)

    def _wait(self, holds: Callable[[], bool]) -> bool:
        give_up = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > give_up:
                return False
            time.sleep(0.05)
        return True


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _tidy(said: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in said.strip("\n").split("\n"))


def _complain_unless(is_well: bool, block: Block, typed: str, shown: str, said: str) -> None:
    if not is_well:
        _complain(block, typed, shown, said)


def _complain(block: Block, typed: str, shown: str, said: str) -> None:
    told = difflib.unified_diff(
        _tidy(shown).splitlines(), _tidy(said).splitlines(), "shown", "said", lineterm="", n=50
    )
    pytest.fail("\n".join([f"{block.place}: {typed}", *told]), pytrace=False)
