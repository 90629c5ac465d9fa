"""What is known of a verb: the columns of the table in `verbs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final


class Needs(Enum):
    """What a verb is about, so whether it works without a running host."""

    STATIC = "the project's files"
    ANY = "a host, private or not"
    DURABLE = "messages: a private host reaches those of durable drivers"
    LIVE = "a running host"


class Where(Enum):
    """Which host a verb is for, where several of the project run on this machine."""

    ANY = "whichever answers: it is about queues, which they share"
    EACH = "the one that is named, or all, where it is about what each has for itself"
    ONE = "the one that is named, or all: it is about hosts"


class Confirm(Enum):
    """What is asked before a verb does something; see `Verb.question`."""

    NONE = "nothing"
    PRODUCTION = "in production, a yes"
    YES = "a yes"
    NAME = "a yes; for many messages or in production the queue's name is typed"


class Question(Enum):
    """How one thing is to be confirmed."""

    NONE = ""
    YES = "yes"
    NAME = "name"


#: Messages that may be dropped on a plain yes.
FEW: Final = 10
#: The default of an argument that has none.
REQUIRED: Final = ...


@dataclass(frozen=True, slots=True)
class Argument:
    """One field of a request, and how it is spelt wherever people type."""

    name: str
    about: str
    type: str = "text"
    """text, integer, flag, duration (see `durations`), texts, pairs (name to value), or json."""
    default: Any = REQUIRED
    source: str = ""
    """What it names, for completion: queue, function, entry, target, consumer, message, or holder,
    a queue that need not be declared."""
    cli: str = ""
    """On the command line: ``QUEUE``, ``[ID]...``, ``-n --limit``; empty: it is not there.

    A flag that is true unless it is given, such as ``--no-backup``, is spelt in the negative."""
    typed: str = ""
    """In the console, where every argument stands by its place: ``QUEUE``, ``[N]``."""
    lua: str = ""
    """The parameter of the function in `mq`; empty: a field of its `options`."""
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    is_guarded: bool = False
    """Only with it does the verb change something."""
    for_view: str = ""
    """The view's word for it, where the view needs it too."""
    is_local: bool = False
    """It is no field of the request: only the view needs it."""

    @property
    def is_required(self) -> bool:
        """Whether a request must have it."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Verb:
    """One row of the table."""

    name: str
    """Of the request and of the method that implements it."""
    about: str
    """One sentence, as an order, without capital and full stop."""
    arguments: tuple[Argument, ...] = ()
    changes: str = ""
    """What it changes, in words that name its arguments; empty: it only looks."""
    needs: Needs = Needs.DURABLE
    where: Where = Where.ANY
    confirm: Confirm = Confirm.NONE
    takes: str = ""
    """What messages it takes away, after a snapshot of them: ``waiting`` or ``dead``."""
    is_rehearsed: bool = False
    """Whether a dry run of it is shown before it is confirmed; it is then done bit by bit."""
    view: str = ""
    """The view that shows its answer."""
    shown_as: tuple[tuple[str, Any], ...] = ()
    """What that view always gets beside it."""
    command: str = ""
    """On the command line: ``peek``, ``dead ls``; empty: it is not there."""
    typed: str = ""
    """In the console, behind the backslash."""
    lua: str = ""
    """The function that scripts of a session call."""
    answer: str = ""
    """The one part of the answer that this function returns; empty: all of it."""
    schema: str = ""
    """Of its JSON document."""
    more: str = ""
    """What the command's help says below the sentence."""
    examples: tuple[str, ...] = ()

    def fields(self) -> list[Argument]:
        """Return the fields of its request."""
        return [one for one in self.arguments if not one.is_local]

    def view_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what its view needs of what was asked for."""
        told = {one.for_view: given.get(one.name) for one in self.arguments if one.for_view}
        return {**dict(self.shown_as), **{key: one for key, one in told.items() if one is not None}}

    def names(self) -> str:
        """Return what the first argument names, for completion."""
        return next((one.source for one in self.arguments if one.lua), "")

    def may_omit(self, argument: Argument) -> bool:
        """Whether people may leave *argument* out; only programs give a snapshot, not a queue."""
        return not argument.is_required and not (self.takes and argument.name == "queue")

    def sentence(self) -> str:
        """Return what it does, with capital and full stop."""
        return f"{self.about[0].upper()}{self.about[1:]}."

    def needs_write(self, fields: Mapping[str, Any]) -> bool:
        """Whether a session that may only look may not ask for it with *fields*."""
        if fields.get("redact") is False:
            return True
        if fields.get("dry_run"):
            return False
        guards = [one.name for one in self.arguments if one.is_guarded]
        return bool(self.changes) and (not guards or any(fields.get(name) for name in guards))

    def deed(self, fields: Mapping[str, Any]) -> str:
        """Say what it would change."""
        return self.changes.format_map(fields)

    def question(self, count: int, *, production: bool) -> Question:
        """Decide how taking *count* messages (or doing it at all) is to be confirmed."""
        if self.confirm is Confirm.NAME and (production or count > FEW):
            return Question.NAME
        if self.confirm in (Confirm.NAME, Confirm.YES):
            return Question.YES
        asks = self.confirm is Confirm.PRODUCTION and production
        return Question.YES if asks else Question.NONE

    def lua_form(self) -> str:
        """Return how the console's Lua says what is typed: ``mq.peek(queue, { limit = n })``."""
        if not self.lua:
            return ""
        typed = [one for one in self.lua_options() if one.typed and not self.takes]
        named = [f"{one.name} = {_lua_value(one)}" for one in typed]
        named += ["confirm = queue"] if self.takes else []
        parts = [one.lua for one in self.arguments if one.lua]
        parts += [f"{{ {', '.join(named)} }}"] if named else []
        return f"{self.lua}({', '.join(parts)})"

    def lua_parameters(self) -> list[str]:
        """Return the names of the parameters of its function, ``?`` behind those one may omit."""
        names = [
            f"{one.lua}?" if self.may_omit(one) else one.lua for one in self.arguments if one.lua
        ]
        return [*names, "options?"] if self.lua_options() else names

    def lua_options(self) -> list[Argument]:
        """Return what its function takes by name."""
        hidden = {"snapshot"} if self.takes else set()
        return [one for one in self.fields() if not one.lua and one.name not in hidden]

    def usage(self) -> str:
        """Return how it is typed in the console: ``peek QUEUE [N]``."""
        return " ".join([self.typed, *(one.typed for one in self.arguments if one.typed)])


def _lua_value(argument: Argument) -> str:
    if argument.type == "flag":
        return "true"
    return argument.typed.strip("[]").rpartition(" ")[2].lower()
