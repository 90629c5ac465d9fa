"""`module.python`: functions of a Python file or package that scripts may call."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, create_model, field_validator, model_validator

from moonq.errors import Kind as ErrorKind
from moonq.errors import MoonqError
from moonq.registry.common import Config, Strict
from moonq.registry.draft import Draft, Drafts
from moonq.registry.fields import TEXT, Flag, LimitOrNone, Whole, between, wrong
from moonq.registry.project import Entry
from moonq.run.changes import same
from moonq.run.modules import checks
from moonq.run.modules.module import Module, Settings
from moonq.run.modules.raising import Told
from moonq.run.parts import Parts, Renewal, Service, ServiceKind
from moonq.text.findings import Finding

if TYPE_CHECKING:
    _Imported = Config
else:
    # The field is called as Python's own word is, which no class body takes.
    _Imported = create_model(
        "_Imported",
        __base__=Config,
        __module__=__name__,
        **{"import": (str | None, Field(None, description="An installed module: `company.bank`."))},
    )


class ErrorRule(Strict):
    """What a script is told of a class of exceptions."""

    kind: ErrorKind = Field(description="The `kind` of the error that a script gets.")
    retryable: Flag | None = Field(
        None, description="Whether trying again can help; unset: as the kind is."
    )


def _rule(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


class PythonModule(_Imported):
    """`module.python`: functions of a Python file or package that scripts may call."""

    example: ClassVar[str] = """\
name: bank
kind: module.python
source: file://bank.py
functions: [charge, refund]
errors: {Declined: CONFLICT}
"""

    is_service: ClassVar[bool] = True

    source: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="The project's own file, `file://bank.py`; a reload replaces it."
    )
    functions: list[str] | None = Field(
        None, description="What scripts may call; unset: what the module's `__all__` lists."
    )
    max_threads: Annotated[Whole, between(1, 1000)] = Field(
        8, description="How many calls of functions without `async` run at once."
    )
    timeout: LimitOrNone = Field(
        None, description="How long one call may take; unset: as long as its handler has."
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="What its function `open` gets, if it has one."
    )
    errors: dict[str, Annotated[ErrorRule, BeforeValidator(_rule), TEXT]] = Field(
        default_factory=dict,
        description="What scripts are told of an exception, by its class: `Declined: CONFLICT`.",
    )

    @property
    def imported(self) -> str | None:
        """What is imported, where it is no file of the project."""
        found: str | None = getattr(self, "import")
        return found

    @model_validator(mode="after")
    def _one_origin(self) -> PythonModule:
        if (self.source is None) == (self.imported is None):
            raise wrong(
                "a module.python needs either `source` or `import`",
                help="write `source: file://bank.py`, or `import: company.bank`",
            )
        if self.imported is not None and not all(map(_is_name, self.imported.split("."))):
            raise wrong(
                f"`import: {self.imported}` is no name of a module",
                help="write it as behind `import` in Python: `company.bank`",
            )
        return self

    @field_validator("functions")
    @classmethod
    def _are_public(cls, functions: list[str] | None) -> list[str] | None:
        for name in functions or ():
            if not _is_name(name) or name.startswith("_"):
                raise wrong(f"`{name}` is no name of a function that can be lent")
        if functions is not None and len({*functions}) < len(functions):
            raise wrong("a function is named twice")
        return functions


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


class PythonModuleKind(ServiceKind):
    """A reload begins a changed module beside the old one, which ends with its last call."""

    def finish(self, mine: Iterable[Draft], drafts: Drafts) -> list[Finding]:
        """Find each file and what it lends, without running it; fill `functions` in."""
        findings: list[Finding] = []
        for draft in mine:
            if isinstance(draft.config, PythonModule):
                found = checks.look(draft, draft.config.source, draft.config.imported, drafts.root)
                findings += found.findings
                draft.script = found.script
                if found.text is not None:
                    config = draft.config
                    names, problems = checks.lent(draft, config.functions, config.options, found)
                    findings += problems
                    draft.config = config.model_copy(update={"functions": [*names]})
                    draft.parts = tuple(f"{draft.id}.{name}" for name in names)
                elif draft.config.functions is None and not found.findings:
                    findings.append(checks.unlisted(draft, found))
        return findings

    def service(self, parts: Parts, entry: Entry) -> Service:
        """Return the module, which is loaded when it is started, or when it is first called."""

        def start() -> None:
            parts.services.modules[entry.id] = _made(parts, entry, opens=parts.opens_early)

        def stop(timeout: float | None) -> None:
            module = parts.services.modules.pop(entry.id, None)
            if module is not None:
                module.close(timeout)

        names = entry.fields(PythonModule).functions or ()
        return Service(start, stop, detail=f"lends {', '.join(names)}")

    def prepare(self, renewal: Renewal, entry: Entry) -> None:
        """Load and open a new or changed module."""
        before = renewal.old.project.entries.get(entry.id)
        if before is None or not same(before, entry):
            module = renewal.made[entry.id] = _made(renewal.new, entry)
            renewal.undo.callback(module.close, 0.0)

    def switch(self, renewal: Renewal, entry: Entry) -> None:
        """Let new calls go to the new one."""
        made, modules = renewal.made.get(entry.id), renewal.old.services.modules
        if made is not None:
            # At no moment is there none: workers go on meanwhile.
            before, modules[entry.id] = modules.get(entry.id), made
            if before is not None:
                before.retire()

    def remove(self, renewal: Renewal, entry: Entry) -> None:
        """Let the calls that run end, then close it."""
        module = renewal.old.services.modules.pop(entry.id, None)
        if module is not None:
            module.retire()


def _made(parts: Parts, entry: Entry, *, opens: bool = True) -> Module:
    fields = entry.fields(PythonModule)
    module = Module(
        Settings(
            entry.id,
            parts.project.root,
            tuple(fields.functions or ()),
            fields.max_threads,
            checks.plain(fields.options),
            {name: Told(rule.kind, rule.retryable) for name, rule in fields.errors.items()},
            path=_path(parts.project.root, entry) if fields.source else None,
            text=entry.source_text,
            dotted=fields.imported or "",
            timeout=fields.timeout,
        )
    )
    if opens:
        try:
            module.open()
        except MoonqError:
            module.close(0.0)
            raise
    return module


def _path(root: Path, entry: Entry) -> Path:
    return (root / entry.source_name).resolve()


KIND = PythonModuleKind(
    "module.python",
    PythonModule,
    aliases={"module": "A Python module", "python": "A Python module"},
)
