"""`moonq test`: run tests written in Lua."""

from __future__ import annotations

import os
import random
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moonq.cli import arguments
from moonq.cli.options import Options, command
from moonq.cli.streams import echo
from moonq.errors import NoTestMatched
from moonq.text.plain import visible
from moonq.text.wording import plural

if TYPE_CHECKING:
    from moonq.cli.drawing import Lines
    from moonq.cli.reporters import Least, Reporter, Tally
    from moonq.cli.reporters.coverage import Since
    from moonq.testing.runner import Plan
    from moonq.testing.sources import Projects, SuiteSource

#: Options whose value may be left out: `--shuffle` is short for `--shuffle=`.
BARE = ("--shuffle", "--coverage", "--cov-diff")
TOO_LITTLE_COVERED = 10
#: Where the context keeps what was written behind `moonq test`.
WRITTEN = "moonq.test.written"


class Command(click.Command):
    """Takes `--shuffle` without a value, and what stands behind it for what it is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line."""
        end = args.index("--") if "--" in args else len(args)
        named = [f"{arg}=" if arg in BARE else arg for arg in _with_revision(args[:end])]
        ctx.meta[WRITTEN] = named
        return super().parse_args(ctx, named + args[end:])


def _with_revision(args: list[str]) -> list[str]:
    """Take what stands behind `--cov-diff` for its revision, unless it is there to be tested."""
    for at, (arg, following) in enumerate(pairwise(args)):
        if arg == "--cov-diff" and following[:1] != "-" and not Path(following).exists():
            return [*args[:at], f"{arg}={following}", *args[at + 2 :]]
    return args


def keyword(value: str) -> str:
    """Return an expression over names that can be read."""
    from moonq.testing import keywords

    try:
        keywords.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return value


def seed(value: str) -> int:
    """Return a seed; an empty one is chosen here."""
    if not value:
        return random.randrange(10_000)
    if not value.isdecimal():
        raise click.BadParameter(f"{value!r} is no number")
    return int(value)


def processes(value: str) -> str:
    """Return how many processes are wanted."""
    if value != "auto" and not (value.isdecimal() and int(value) > 0):
        raise click.BadParameter(f"{value!r} is neither a number nor auto")
    return value


def coverage_forms(value: str) -> tuple[str, ...]:
    """Return the forms of a coverage report."""
    from moonq.cli.reporters.coverage import FORMS

    forms = tuple(value.split(",")) if value else ("term",)
    for form in forms:
        if form not in FORMS:
            raise click.BadParameter(f"{form!r} is none of {', '.join(FORMS)}")
    return forms


@command(cls=Command)
@click.argument("targets", metavar="[PATH|PATH:LINE|ENTRY]...", nargs=-1)
@click.option("-k", type=keyword, metavar="EXPR", help="Words of names: a and not b.")
@click.option("--tag", multiple=True, metavar="TAG", help="With this tag; repeatable.")
@click.option("--not-tag", multiple=True, metavar="TAG", help="Without this tag.")
@click.option("--failed", is_flag=True, help="Only what failed last time.")
@click.option("--failed-first", is_flag=True, help="What failed last time before the rest.")
@click.option("-x", "--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option("-j", "--jobs", type=processes, metavar="N|auto", help="How many processes.")
@click.option("--isolate", is_flag=True, help="Give each file a process of its own.")
@click.option("--shuffle", type=seed, metavar="[SEED]", help="In any order; =SEED repeats one.")
@click.option("--repeat", type=click.IntRange(1), default=1, help="Run each test so often.")
@click.option("--timeout", type=arguments.duration, default="5s", help="Limit for one test.")
@click.option("--watch", is_flag=True, help="Run again whenever a file changes.")
@click.option("--list", is_flag=True, help="Only name the tests.")
@click.option("--update", is_flag=True, help="Take the snapshots anew, drop those of no test.")
@click.option(
    "--driver",
    type=click.Choice(["memory", "declared"]),
    default="memory",
    help="A stand-in for each, or what the project declares, at places of its own.",
)
@click.option("--real", is_flag=True, help="Let tests reach beyond the host, for integration.")
@click.option(
    "--coverage",
    type=coverage_forms,
    metavar="[FORMS]",
    help="Say what the tests ran: term, html, lcov, cobertura; some with commas, =html alone.",
)
@click.option("--cov-min", type=float, metavar="PERCENT", help="Fail below this coverage.")
@click.option(
    "--cov-min-file", type=float, metavar="PERCENT", help="Fail where a file is covered less."
)
@click.option(
    "--cov-diff",
    metavar="[REV]",
    help="Look only at lines that changed since this revision of git (HEAD when none is named).",
)
@click.option("--show-logs", is_flag=True, help="Show what every test logs.")
@click.option(
    "--reporter",
    type=click.Choice(["pretty", "plain", "json", "tap", "github"]),
    help="How to tell.",
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write XML too.")
def test(options: Options, /, targets: tuple[str, ...], **asked: Any) -> int:
    """Run tests written in Lua: all of the project, or what is named.

    Tests are in files whose names end with `_test.lua`, and in entries with `meta.type: test`.
    Queues, clock, stores and handlers are new for each test, and no test waits in real time,
    except for drivers that go by a clock of their own: with --driver declared those are waited
    for, five times as fast as time passes. What reaches beyond the host, such as Python modules, is
    refused unless the test answers for it, with the line to write; --real does it.
    Ends with 1 when a test fails, with 9 when there is none, with 10 when too little is covered.

    \b
    Examples:
      moonq test
      moonq test test/process_order_test.lua:12
      moonq test -k "retries and not slow" --shuffle
      moonq test --isolate -j 4
      moonq test --cov-diff main --cov-min 90
      moonq test --coverage=term,cobertura
    """
    from moonq.testing.sources import Projects, Search

    if asked["watch"]:
        watch(options, targets, asked)
        return 0
    projects = Projects(options.profile, options.said)
    named = options.project if "project" in options.given else None
    sources = Search(projects, named).find(targets)
    if not sources:
        hint = "write test/NAME_test.lua; `moonq guide testing` shows how"
        raise NoTestMatched("there are no tests here", hint=hint)
    plan = plan_of(options, sources, asked)
    if asked["list"]:
        return list_tests(options, sources, plan, projects)
    tally = run(options, sources, plan, projects, asked)
    if not tally.results():
        raise NoTestMatched("no test matches what was asked for", hint="see moonq test --list")
    if tally.bad():
        return 1
    return TOO_LITTLE_COVERED if tally.below(least_of(asked)) else 0


def least_of(asked: dict[str, Any]) -> Least:
    """Return how much has to be covered."""
    from moonq.cli.reporters import Least

    return Least(asked["cov_min"], asked["cov_min_file"])


def since_of(sources: list[SuiteSource], revision: str | None) -> Since | None:
    """Return what has changed since *revision*; None where that does not matter."""
    from moonq.cli.reporters.coverage import Since
    from moonq.testing.changed import since

    if revision is None:
        return None
    revision = revision or "HEAD"
    try:
        roots = {source.root: since(source.root, revision) for source in sources}
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--cov-diff") from None
    return Since(revision, roots)


def plan_of(options: Options, sources: list[SuiteSource], asked: dict[str, Any]) -> Plan:
    """Return how to run."""
    from moonq.testing import remembered
    from moonq.testing.runner import Plan, in_ci
    from moonq.testing.selection import Selection
    from moonq.testing.suites import Conditions

    watched = not in_ci()
    looks_back = asked["failed"] or asked["failed_first"]
    roots = [source.root for source in sources]
    selection = Selection(
        asked["k"] or "",
        asked["tag"],
        asked["not_tag"],
        remembered.recall(roots) if looks_back else frozenset(),
        asked["failed"],
        asked["failed_first"],
        heeds_only=watched,
        seed=asked["shuffle"],
    )
    conditions = Conditions(
        asked["timeout"],
        declared=asked["driver"] == "declared",
        update=asked["update"],
        may_store=watched,
        real=asked["real"],
        coverage=bool(asked["coverage"])
        or any(asked[name] is not None for name in ("cov_min", "cov_min_file", "cov_diff")),
    )
    return Plan(
        selection,
        conditions,
        asked["repeat"],
        asked["fail_fast"],
        only_fails=not watched,
        isolates=asked["isolate"],
    )


def run(
    options: Options,
    sources: list[SuiteSource],
    plan: Plan,
    projects: Projects,
    asked: dict[str, Any],
) -> Tally:
    """Run the tests and tell how it goes."""
    from moonq.cli.drawing import Lines, Progress
    from moonq.cli.reporters import Tally, coverage, junit, machine
    from moonq.testing import remembered, runner
    from moonq.views import Screen

    changed = since_of(sources, asked["cov_diff"])
    began = time.perf_counter()
    tally = Tally(seed=plan.selection.seed)
    lines = Lines(options, sys.stdout)
    reporter = reporter_of(options, lines, asked)
    jobs = runner.jobs_for(asked["jobs"], len(sources))
    with Progress(options, lines) as progress:
        for report in runner.run(sources, plan, projects, jobs):
            tally.reports.append(report)
            reporter.suite(report)
            progress.show(f"{len(tally.reports)} of {plural(len(sources), 'file')}")
    tally.took = time.perf_counter() - began
    remembered.remember(tally.reports)
    extra: list[str] = []
    if plan.conditions.coverage:
        forms = asked["coverage"] or ("term",)
        screen = Screen() if isinstance(reporter, machine.Json | machine.Tap) else lines.screen
        extra = coverage.told(tally, projects, forms, least_of(asked), screen, changed)
    if tally.results():
        reporter.end(tally, extra)
    if asked["junit"]:
        junit.write(asked["junit"], tally)
    return tally


def watch(options: Options, targets: tuple[str, ...], asked: dict[str, Any]) -> None:
    """Run the tests again whenever a file changes, until `q` is pressed."""
    from moonq.cli.watching import Filter, Watch, without_filter

    written = click.get_current_context().meta[WRITTEN]
    passed = without_filter([arg for arg in written if arg not in targets])
    if "project" in options.given:
        passed = ["-C", str(options.project), *passed]
    if options.profile:
        passed = ["--profile", options.profile, *passed]
    said = {"--set": options.settings, "--override": options.overrides}
    passed = [
        *(f"{name}={text}" for name, all_ in said.items() for flag, text in all_ if flag == name),
        *passed,
    ]
    first = Filter(targets, asked["k"] or "", asked["failed"])
    project = options.project
    Watch(project.parent if project.is_file() else project, passed, first).run()


def reporter_of(options: Options, lines: Lines, asked: dict[str, Any]) -> Reporter:
    """Return who tells how it goes."""
    from moonq.cli.reporters import github, machine, plain, pretty

    form = asked["reporter"] or ("json" if options.json else "")
    form = form or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "pretty")
    if form == "json":
        return machine.Json(echo)
    if form == "tap":
        return machine.Tap(echo)
    kinds = {"plain": plain.Plain, "github": github.Github, "pretty": pretty.Pretty}
    return kinds[form](lines, quiet=options.quiet, logs=asked["show_logs"])


def list_tests(options: Options, sources: list[SuiteSource], plan: Plan, projects: Projects) -> int:
    """Name every test that would run."""
    from moonq.cli.drawing import Lines
    from moonq.testing.runner import list_cases
    from moonq.text.findings import Finding

    count = broken = 0
    lines = Lines(options, sys.stderr)
    for found in list_cases(sources, plan, projects):
        if isinstance(found, Finding):
            broken += 1
            lines.line(below=f"{lines.drawn([found])}\n")
            continue
        for case in found:
            count += 1
            echo(visible(f"{case.file}:{case.line}  {case.title}"))
    if not count and not broken:
        raise NoTestMatched("no test matches what was asked for")
    return int(broken > 0)
