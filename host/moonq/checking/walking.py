"""Walks through the tree of a Lua text, scope by scope, and notes what is done with names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from moonq.checking.names import Answer, Called, Chain, Global, How, Local, Names, Required, Use
from moonq.checking.parsing import all_of, children, keys, literal, parsed, text

if TYPE_CHECKING:
    from tree_sitter import Node

    Visit = Callable[["Walker", Node, bool], Chain | None]

#: Whoever gives a name to one of these asks whether it is there, as far as Lua lets one.
ASKING = {"type", "assert", "pcall", "xpcall", "rawequal", "rawget", "getmetatable", "select"}
CATCHING = {
    Chain(Global("pcall")),
    Chain(Global("xpcall")),
    *(Chain(Required("test"), (name,)) for name in ("throws", "no_throw", "fails")),
}
#: What runs text, or moves the globals elsewhere.
OPENING = {"load", "loadstring", "setfenv", "module", "dofile", "loadfile"}
COMPARING = {"and", "or", "==", "~="}


def names_of(data: bytes) -> Names:
    """Return what the text *data* does with names; nothing where it is nested beyond all habit."""
    walker = Walker()
    try:
        walker.visit(parsed(data))
    except RecursionError:
        return Names()
    return walker.names


class Walker:
    """One way through one text."""

    def __init__(self) -> None:
        self.names = Names()
        self._scopes: list[dict[str, Local]] = [{}]
        self._catching = 0

    def visit(self, node: Node, asks: bool = False) -> Chain | None:
        """Note what happens in *node*, and return what it stands for if it is an expression."""
        visit = _VISITS.get(node.type)
        if visit is not None:
            return visit(self, node, asks)
        self._all(children(node))
        return None

    def _all(self, nodes: Iterable[Node], asks: bool = False) -> None:
        for node in nodes:
            self.visit(node, asks)

    # Scopes -------------------------------------------------------------------------------------

    def _declare(self, name: str, value: Chain | None = None) -> Local:
        self.names.locals.add(name)
        self.names.is_open |= name == "_ENV"
        made = self._scopes[-1][name] = Local(name, value)
        return made

    def _found(self, name: str) -> Local | Global:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        self.names.is_open |= name == "_ENV"
        return Global(name)

    def _block(self, node: Node, asks: bool) -> None:
        self._scopes.append({})
        self._all(children(node))
        self._scopes.pop()

    def _function(self, node: Node, *declared: str) -> None:
        self._scopes.append({})
        for name in declared:
            self._declare(name)
        parameters = node.child_by_field_name("parameters")
        for parameter in children(parameters) if parameters else ():
            if parameter.type == "identifier":
                self._declare(text(parameter))
        body = node.child_by_field_name("body")
        if body:
            self.visit(body)
        self._scopes.pop()

    # Statements ---------------------------------------------------------------------------------

    def _local(self, node: Node, asks: bool) -> None:
        given = all_of(node, "assignment_statement", "expression_list")
        values = [self.visit(one) for one in given]
        named = all_of(node, "variable_list") or all_of(
            node, "assignment_statement", "variable_list"
        )
        named = [one for one in named if one.type == "identifier"]
        for at, one in enumerate(named):
            made = self._declare(text(one), values[at] if at < len(values) else None)
            if at < len(given):
                self._constant(Chain(made), given[at])
                for key in keys(given[at]):
                    chain = Chain(made, (text(key),))
                    self.names.set.add(chain)
                    self._constant(chain, key.parent and key.parent.child_by_field_name("value"))

    def _assignment(self, node: Node, asks: bool) -> None:
        given = all_of(node, "expression_list")
        self._all(given)
        for at, target in enumerate(all_of(node, "variable_list")):
            self._assign(target, given[at] if at < len(given) else None)

    def _constant(self, chain: Chain, value: Node | None) -> None:
        """Note the text that *chain* stands for, as long as it is given no other value."""
        is_first = chain not in self.names.constants
        self.names.constants[chain] = literal(value) if is_first else None

    def _assign(self, target: Node, value: Node | None = None) -> None:
        if target.type == "identifier":
            found = self._found(text(target))
            if isinstance(found, Local):
                found.is_changed = True
            else:
                self.names.set.add(Chain(found))
                self._constant(Chain(found), value)
            return
        table, key = _parts(target)
        if table is None or key is None:
            self.visit(target)
            return
        owner = self._access(table, How.INDEX)
        name = _key(target, key)
        if name is None:
            self.visit(key)
            self.names.is_open |= owner is not None and owner.base == Global("_G")
        elif owner is not None:
            made = owner.expanded()
            made = _without_g(Chain(made.base, (*made.fields, name)))
            self.names.set.add(made)
            self._constant(made, value)

    def _function_declaration(self, node: Node, asks: bool) -> None:
        name = node.child_by_field_name("name")
        assert name is not None
        is_method = name.type == "method_index_expression"
        if node.children[0].type == "local":
            self._declare(text(name))
        else:
            self._assign(name)
        self._function(node, *(("self",) if is_method else ()))

    def _for(self, node: Node, asks: bool) -> None:
        clause = node.child_by_field_name("clause")
        assert clause is not None
        named = [one for one in all_of(clause, "variable_list") if one.type == "identifier"]
        counter = clause.child_by_field_name("name")
        if clause.type == "for_numeric_clause" and counter is not None:
            named = [counter]
            self._all(one for one in children(clause) if one != counter)
        else:
            self._all(all_of(clause, "expression_list"))
        self._scopes.append({})
        for one in named:
            self._declare(text(one))
        body = node.child_by_field_name("body")
        if body:
            self.visit(body)
        self._scopes.pop()

    def _repeat(self, node: Node, asks: bool) -> None:
        """The condition sees the locals of the body."""
        self._scopes.append({})
        body, condition = node.child_by_field_name("body"), node.child_by_field_name("condition")
        if body:
            self._all(children(body))
        if condition:
            self.visit(condition, True)
        self._scopes.pop()

    def _branch(self, node: Node, asks: bool) -> None:
        condition = node.child_by_field_name("condition")
        for child in children(node):
            self.visit(child, child == condition)

    def _nothing(self, node: Node, asks: bool) -> None:
        """What stands here is no variable."""

    # Expressions --------------------------------------------------------------------------------

    def _name(self, node: Node, asks: bool) -> Chain | None:
        return self._access(node, How.ASK if asks else How.READ)

    def _access(
        self, node: Node, how: How, arguments: tuple[Node, ...] | None = None
    ) -> Chain | None:
        """Note how the chain that ends with *node* is used, and return it if it is one."""
        steps: list[tuple[str, Node]] = []
        while True:
            table, key = _parts(node)
            if table is None or key is None:
                break
            name = _key(node, key)
            if name is not None:
                steps.append((name, key))
            else:
                # What is taken out by a key made at run time may be anything.
                self.visit(key)
                steps, how, arguments = [], How.INDEX, None
            node = table
        base = self._base(node)
        if base is None:
            return None
        steps.reverse()
        chain = Chain(base.base, (*base.fields, *(name for name, _ in steps)))
        places = (node,) * (1 + len(base.fields)) + tuple(place for _, place in steps)
        if base.base == Global("_G") and chain.fields:
            how = How.ASK if how is How.READ else how
            chain, places = _without_g(chain), places[1:]
        self.names.uses.append(Use(chain, how, places, arguments, self._catching > 0))
        return chain

    def _base(self, node: Node) -> Chain | None:
        if node.type == "identifier":
            return Chain(self._found(text(node)))
        return self.visit(node)

    def _call(self, node: Node, asks: bool) -> Chain | None:
        name = node.child_by_field_name("name")
        listed = node.child_by_field_name("arguments")
        assert name is not None
        arguments = tuple(children(listed)) if listed else ()
        how = How.METHOD if name.type == "method_index_expression" else How.CALL
        callee = self._access(name, how, arguments)
        called = callee.base.name if callee and isinstance(callee.base, Global) else ""
        if called == "require" and arguments and (module := literal(arguments[0])) is not None:
            return Chain(Required(module))
        is_bare = callee is not None and not callee.fields
        self.names.is_open |= is_bare and called in OPENING
        chains = [
            self._argument(argument, callee, called if is_bare else "") for argument in arguments
        ]
        if callee is not None and arguments:
            self.names.calls.append(Called(callee, arguments[0], chains[0]))
        return Chain(Answer(callee)) if callee else None

    def _argument(self, node: Node, callee: Chain | None, called: str) -> Chain | None:
        # A function that gets all globals may make new ones.
        if node.type == "identifier" and text(node) == "_G" and called not in ("pairs", "next"):
            self.names.is_open = True
        catches = callee is not None and callee.expanded() in CATCHING
        if catches and node.type == "function_definition":
            self._catching += 1
            self.visit(node)
            self._catching -= 1
            return None
        return self.visit(node, called in ASKING)

    def _binary(self, node: Node, asks: bool) -> None:
        """Long sums lean to the left, deeper than Python could follow by calls."""
        rights: list[tuple[Node, bool]] = []
        compares = False
        while node.type == "binary_expression":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            assert left is not None
            assert right is not None
            compares = node.children[1].type in COMPARING
            rights.append((right, compares))
            node = left
        self.visit(node, compares)
        for right, asked in reversed(rights):
            self.visit(right, asked)

    def _unary(self, node: Node, asks: bool) -> None:
        self._all(children(node), node.children[0].type == "not")

    def _parentheses(self, node: Node, asks: bool) -> Chain | None:
        inner = next(children(node), None)
        return self.visit(inner, asks) if inner else None

    def _field(self, node: Node, asks: bool) -> None:
        name = node.child_by_field_name("name")
        is_word = name is not None and node.children[0].type != "["
        self._all(child for child in children(node) if not (is_word and child == name))


def _parts(node: Node) -> tuple[Node | None, Node | None]:
    """Return the table and the key of an index; nothing for other nodes."""
    kind = node.type
    if kind in ("dot_index_expression", "bracket_index_expression"):
        return node.child_by_field_name("table"), node.child_by_field_name("field")
    if kind == "method_index_expression":
        return node.child_by_field_name("table"), node.child_by_field_name("method")
    return None, None


def _key(node: Node, key: Node) -> str | None:
    return literal(key) if node.type == "bracket_index_expression" else text(key)


def _without_g(chain: Chain) -> Chain:
    """`_G.print` is `print`."""
    if chain.base == Global("_G") and chain.fields:
        return Chain(Global(chain.fields[0]), chain.fields[1:])
    return chain


_VISITS: Mapping[str, Visit] = {
    "assignment_statement": Walker._assignment,
    "binary_expression": Walker._binary,
    "block": Walker._block,
    "bracket_index_expression": Walker._name,
    "dot_index_expression": Walker._name,
    "elseif_statement": Walker._branch,
    "field": Walker._field,
    "for_statement": Walker._for,
    "function_call": Walker._call,
    "function_declaration": Walker._function_declaration,
    "function_definition": lambda walker, node, _: walker._function(node),
    "goto_statement": Walker._nothing,
    "identifier": Walker._name,
    "if_statement": Walker._branch,
    "label_statement": Walker._nothing,
    "parenthesized_expression": Walker._parentheses,
    "repeat_statement": Walker._repeat,
    "string": Walker._nothing,
    "unary_expression": Walker._unary,
    "variable_declaration": Walker._local,
    "while_statement": Walker._branch,
}
