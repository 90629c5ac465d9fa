"""Profiles: what `moonq.yaml` lays over a project, chosen by name.

    production: false
    profiles:
      prod:
        production: true
        entries:
          app:driver: {kind: queue.driver.redis, url: "${env:REDIS_URL}"}

What is laid over what follows `yaml.merging`. An entry of another kind begins anew: of the old
fields only those stay that every entry has. It keeps its id, and the family of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from moonq.registry.common import Config
from moonq.registry.draft import Draft
from moonq.registry.overrides import Said
from moonq.registry.problems import Problems
from moonq.registry.settings import FILE, Profile, Settings
from moonq.registry.yaml import reading
from moonq.registry.yaml.merging import brought, merged
from moonq.registry.yaml.nodes import Map, Node, Scalar
from moonq.registry.yaml.scalars import is_null
from moonq.text.findings import Finding, Source, error
from moonq.text.suggestions import close, question

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
#: The field of `moonq.yaml` with all of them.
FIELD = "profiles"


@dataclass(frozen=True)
class Choice:
    """The settings with one profile laid over, or none, and what it says about entries."""

    name: str
    """Empty for none."""
    settings: Map
    source: Source
    entries: Mapping[str, tuple[Scalar, Map]] = field(default_factory=dict)
    """What is laid over entries by their ids, each with the place of its id."""
    names: tuple[str, ...] = ()
    """All profiles there are."""

    @classmethod
    def none(cls) -> Choice:
        """Return the choice of a project without settings."""
        return cls("", Map(1, 1, 1), Source(FILE, ""))

    def lay_over(self, draft: Draft, findings: list[Finding]) -> None:
        """Give *draft* the fields that the profile has for it."""
        if draft.id in self.entries:
            lay_over(draft, self.entries[draft.id][1], "a profile", findings)

    def unknown(self, ids: Iterable[str]) -> list[Finding]:
        """Return a finding for each entry of the profile that is none of *ids*."""
        known = list(ids)
        return [
            error(
                "R241",
                f"profile `{self.name}` changes an entry that does not exist",
                self.source.at(key, f"no entry `{id_}`"),
                help=question(_like(id_, known)) or _the_first(known),
            )
            for id_, (key, _) in self.entries.items()
            if id_ not in known
        ]

    def saying(self, said: Said, findings: list[Finding]) -> Choice:
        """Return the choice with the settings that a command says laid over it."""
        settings = self.settings
        for flag in said.settings:
            if flag.text.startswith(f"{FIELD}."):
                span = flag.source.span(1, 1, len(FIELD))
                help_ = "choose one with --profile, or set what it says"
                findings.append(error("R206", "profiles are not set", span, help=help_))
            elif above := flag.tree(Settings, findings):
                laid = merged(settings, above)
                settings = replace(settings, items=laid.items if isinstance(laid, Map) else {})
        return replace(self, settings=settings)


def lay_over(draft: Draft, above: Map, who: str, findings: list[Finding]) -> None:
    """Give *draft* the fields of *above*, which *who* brings."""
    above = _allowed(draft, above, who, findings)
    kind = above.get("kind")
    below = draft.node
    if isinstance(kind, Scalar) and kind.text != draft.kind:
        kept = below.items.keys() & Config.model_fields
        below = replace(below, items={name: below.items[name] for name in kept})
        draft.kind = kind.text
    items = merged(below, above)
    # It stands where it stood, whatever is new in it.
    draft.node = replace(below, items=items.items if isinstance(items, Map) else {})


def _allowed(draft: Draft, above: Map, who: str, findings: list[Finding]) -> Map:
    """Return the fields of *above* that may change, and say why the others may not."""
    wrong = {}
    if name := above.get("name"):
        message = f"{who} cannot rename an entry"
        help_ = "remove it: ids are the same in every profile"
        wrong["name"] = error("R242", message, draft.span(name), help=help_)
    if kind := above.get("kind"):
        new = kind.text if isinstance(kind, Scalar) else ""
        if not new or _is_nothing(kind):
            wrong["kind"] = error("R207", "`kind` must be text", draft.span(kind))
        elif _family(new) != _family(draft.kind):
            message = f"{who} cannot make a {new} of a {draft.kind}"
            help_ = f"name another {_family(draft.kind)}.*, or declare an entry of its own"
            wrong["kind"] = error("R242", message, draft.span(kind), help=help_)
    findings += wrong.values()
    kept = {key: pair for key, pair in above.items.items() if key not in wrong}
    return replace(above, items=kept)


def unsaid(said: Said, ids: Iterable[str]) -> list[Finding]:
    """Return a finding for each override of what is no entry, or may be several, of *ids*."""
    known = list(ids)
    found = []
    for flag in said.fields:
        meant = [id_ for id_ in known if flag.is_about(id_)]
        if len(meant) > 1 and flag.target not in known:
            message, help_ = f"`{flag.target}` is ambiguous", f"write {' or '.join(meant)}"
        elif not meant:
            message = f"there is no entry `{flag.target}`"
            help_ = question(_like(flag.target, known)) or _the_first(known)
        else:
            continue
        span = flag.source.at(flag.target_node())
        found.append(error("R241", message, span, help=help_))
    return found


@dataclass
class Reader:
    """Reads the profiles of one `moonq.yaml`, and says what is wrong with the one that counts."""

    source: Source
    node: Map
    findings: list[Finding]

    def choose(self, name: str) -> Choice:
        """Return the settings with the profile *name*, or none, laid over."""
        own = {key: pair for key, pair in self.node.items.items() if key != FIELD}
        settings = replace(self.node, items=own)
        known = self._known()
        without = Choice("", settings, self.source, names=tuple(known))
        if not name:
            return without
        if name not in known:
            place = self.node.key(FIELD)
            self.findings.append(no_profile(name, known, self.source, place))
            return without
        profile = self._profile(name, known[name])
        entries = profile.items.pop("entries", None)
        above = merged(settings, profile)
        assert isinstance(above, Map)
        found = self._entries(name, entries[1]) if entries else {}
        laid = replace(settings, items=above.items)
        return replace(without, name=name, settings=laid, entries=found)

    def _known(self) -> dict[str, Node]:
        """Every profile by its name; what is no map of them is said."""
        node = self.node.get(FIELD)
        if not isinstance(node, Map):
            if node is not None and not _is_nothing(node):
                self._add("R207", f"`{FIELD}` must be a map of profiles by name", node)
            return {}
        for name, (key, value) in node.items.items():
            if not _NAME.fullmatch(name):
                help_ = "use letters, digits, `_`, `.` and `-`"
                self._add("R212", f"`{name}` is no name for a profile", key, help_)
            if not isinstance(value, Map) and not _is_nothing(value):
                help_ = "write settings and `entries:` below it"
                self._add("R207", f"profile `{name}` must be a map", value, help_)
        return {name: value for name, (_, value) in node.items.items()}

    def _profile(self, name: str, node: Node) -> Map:
        """Return the profile as it knows itself, without what is no setting."""
        whole = brought(node, self.source)
        if not isinstance(whole, Map):
            return Map(node.line, node.column, node.length, source=self.source)
        problems = Problems(self.source, whole, Profile, f"profile `{name}`")
        known = list(Profile.model_fields)
        unknown = whole.items.keys() - set(known)
        self.findings += [problems.unknown((key,), known) for key in whole.items if key in unknown]
        kept = {key: pair for key, pair in whole.items.items() if key not in unknown}
        return replace(whole, items=kept)

    def _entries(self, profile: str, node: Node) -> dict[str, tuple[Scalar, Map]]:
        if not isinstance(node, Map):
            if not _is_nothing(node):
                help_ = 'write `"app:name": {…}`, an id and the fields that differ'
                message = f"`entries` of profile `{profile}` must be a map of entries by their ids"
                self._add("R207", message, node, help_)
            return {}
        found = {}
        for id_, (key, value) in node.items.items():
            if isinstance(value, Map):
                found[id_] = (key, value)
            else:
                self._add("R207", f"`{id_}` must be a map of fields", value)
        return found

    def _add(self, code: str, message: str, node: Node, help_: str = "") -> None:
        self.findings.append(error(code, message, self.source.at(node), help=help_))


def names_at(path: Path) -> tuple[str, ...]:
    """Return the profiles of the project at *path*, without a look at anything else of it."""
    file = (path.parent if path.is_file() else path) / FILE
    try:
        data = file.read_bytes()
    except OSError:
        return ()
    source = Source.of(FILE, data)
    node, _ = reading.read(source, data)
    return Reader(source, node, []).choose("").names if isinstance(node, Map) else ()


def no_profile(
    name: str, names: Iterable[str], source: Source | None = None, place: Node | None = None
) -> Finding:
    """Return the finding for a profile that was asked for and is not there."""
    known = list(names)
    spans = [source.at(place)] if source and place else []
    help_ = question(close(name, known)) or _the_first(known) or f"declare it in {FILE}"
    message = f"there is no profile `{name}`"
    return error("R240", message, *spans, help=help_)


def _like(id_: str, known: list[str]) -> list[str]:
    """Return the ids that may be meant by *id_*, which may lack its namespace."""
    return [one for one in known if one.partition(":")[2] == id_] or close(id_, known)


def _family(kind: str) -> str:
    return kind.rpartition(".")[0]


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and is_null(node.text)


def _the_first(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"there is {', '.join(f'`{name}`' for name in names[:5])}{more}" if names else ""
