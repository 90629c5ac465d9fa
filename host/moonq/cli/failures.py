"""Turns whatever went wrong into one line (or one JSON document) and an exit code.

    moonq: no queue 'app:ordres'
      hint: did you mean 'app:orders'?

A traceback is never shown: that of a bug goes to a file, and the line names it.
"""

from __future__ import annotations

import io
import json
import os
import platform
import re
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moonq import __version__, log, private, threads
from moonq.cli import streams
from moonq.cli.drawing import Lines
from moonq.cli.options import Options
from moonq.cli.signals import Terminated, terminable
from moonq.errors import Denied, MoonqError, ProjectInvalid, ScriptError, Unavailable
from moonq.text.plain import visible
from moonq.text.reading import unreadable
from moonq.text.secrets import without_secrets

if TYPE_CHECKING:
    from moonq.host import Fault
    from moonq.registry import Project
    from moonq.text.findings import Finding

USAGE = 2
BUG = 70
#: Frames of a script's stack that are shown.
MOST_FRAMES = 10
#: What a policy's refusal says: who may not do what, why, and how to allow it.
_DENIED = re.compile(r"(?P<who>\S+ may not \S+ .+?): (?P<why>[^;]+)(; (?P<help>.*))?", re.DOTALL)
INTERRUPTED = 130
#: That of a tool which the kernel ends because nobody reads it any more.
UNREAD = 141


def guarded(args: Sequence[str], options: Options) -> int:
    """Run moonq with *args* and return its exit code."""
    with streams.doors():
        try:
            with terminable():
                return _run(args, options)
        except (KeyboardInterrupt, Terminated) as error:
            return explain(error, args, options)
        finally:
            log.close(sys.stderr)


def _run(args: Sequence[str], options: Options) -> int:
    from moonq.cli import moonq

    try:
        code = moonq.main(list(args), prog_name="moonq", standalone_mode=False, obj=options)
        # What a full disk does not take is our failure, not Python's at its end.
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt, Terminated) as error:  # noqa: BLE001 - the last place
        return explain(error, args, options)
    return code if isinstance(code, int) else 0


def explain(error: BaseException, args: Sequence[str], options: Options) -> int:
    """Say what went wrong and return the exit code."""
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, Terminated):
        streams.finish(sys.stdout)  # the terminal may have gone, which is why it ends
        return error.exit_code
    if isinstance(error, streams.Unread):
        streams.give_up(sys.stdout)
        return UNREAD
    if isinstance(error, click.UsageError):
        return _usage(error, args, options)
    if isinstance(error, OSError) and error.errno is not None:
        if error.filename == "stdout":
            streams.give_up(sys.stdout)
        error = unreadable(str(error.filename or ""), error)
    if is_want_of_memory(error):
        error = Unavailable(
            "this process may have no more memory",
            hint="raise its limit of addresses (`ulimit -v`), or let it do less",
        )
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        error = threads.NoThread()
    if isinstance(error, MoonqError):
        return _expected(error, options)
    return _bug(error, args, options)


def is_want_of_memory(error: BaseException) -> bool:
    """Say whether *error* comes from memory that could not be had, for values or for a library."""
    is_library = isinstance(error, ImportError) and (
        "failed to map" in str(error) or "annot allocate memory" in str(error)
    )
    return is_library or isinstance(error, MemoryError)


def _usage(error: click.UsageError, args: Sequence[str], options: Options) -> int:
    # The option may stand behind what click stumbled over.
    if options.json or "--json" in args:
        _say_json({"code": "USAGE", "message": error.format_message()})
    else:
        shown = io.StringIO()
        error.show(shown)
        options.say(shown.getvalue().rstrip("\n"), important=True)
    return USAGE


def _expected(error: MoonqError, options: Options) -> int:
    findings = findings_of(error)
    if options.json:
        _say_json(_plain(error, findings))
    else:
        if findings:
            lines = Lines(options, sys.stderr)
            lines.line(below=f"{lines.drawn(findings)}\n")
        code = f" [{error.code}]" if error.code else ""
        options.say(f"moonq: {visible(error.message)}{code}", important=True)
        if error.hint:
            options.say(f"  hint: {visible(error.hint)}", important=True)
        if error.code and not findings:
            options.say(f"  more: moonq explain {error.code}", important=True)
    return error.exit_code


def findings_of(error: MoonqError) -> tuple[Finding, ...]:
    """Return what *error* has to show of the project's files."""
    if isinstance(error, ProjectInvalid):
        return error.findings
    if isinstance(error, ScriptError) and error.finding:
        return (error.finding,)
    return ()


def finding_of_call(project: Project, function: str, fault: Fault) -> Finding:
    """Return *fault* of *function*, which was called by hand, with the frame where it arose."""
    from moonq.registry.lua import runtime

    texts = [entry.script for entry in project.entries.values() if entry.script]
    code, headline = "H403", f"{function} failed: {fault.kind}"
    denied = _DENIED.search(fault.message) if fault.kind == Denied.kind else None
    if denied:
        code, headline, fault = "S601", denied["who"], fault._replace(message=denied["why"])
    # An error object leaves its place to the stack.
    chunk, line = runtime.innermost(fault.traceback)
    message, place = fault.message, f"{chunk}:{line}"
    if chunk and not message.startswith(place):
        message = f"{place}: {message}"
    found = runtime.finding(message, texts, code=code, headline=headline)
    if denied:
        found = replace(found, helps=tuple(filter(None, (denied["help"],))))
    elif not found.spans:
        found = replace(found, message=f"{headline}: {fault.message}")
    return replace(found, notes=tuple(fault.traceback.splitlines()[:MOST_FRAMES]))


def _plain(error: MoonqError, findings: Sequence[Finding]) -> dict[str, Any]:
    from moonq.text.findings import to_json

    document: dict[str, Any] = {
        "code": error.code or error.kind,
        "message": error.message,
        "help": [error.hint] if error.hint else [],
    }
    if findings:
        document["findings"] = [to_json(finding) for finding in findings]
    return document


def _say_json(error: dict[str, Any]) -> None:
    print(json.dumps({"schema": "moonq.error/1", "error": error}), file=sys.stderr)


def _bug(error: BaseException, args: Sequence[str], options: Options) -> int:
    report = _write_report(error, args, options.project)
    message = f"a bug in moonq: {type(error).__name__}; the report is in {report}"
    if options.json:
        _say_json({"code": "BUG", "message": message, "report": str(report)})
    else:
        options.say(f"moonq: {message}", important=True)
    return BUG


def _write_report(error: BaseException, args: Sequence[str], project: Path) -> Path:
    """Write what a developer needs; of the arguments only the first, for the rest may be secret."""
    import tempfile

    text = "\n".join(
        (
            f"moonq {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"command: {' '.join(args[:1])}",
            "",
            "".join(traceback.format_exception(error)),
        )
    )
    name = f"moonq-bug-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.txt"
    for folder in (project / ".moonq", Path(tempfile.gettempdir())):
        try:
            private.write(folder / name, without_secrets(text).encode("utf-8", "backslashreplace"))
        except OSError:
            continue
        return folder / name
    return Path(os.devnull)
