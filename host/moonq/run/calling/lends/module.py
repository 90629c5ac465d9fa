"""Functions of Python modules, which scripts import by their entries."""

from __future__ import annotations

from moonq.run.calling.lending import Caller, lent
from moonq.run.modules.crossing import shown
from moonq.sandbox.lend import name

MODULE = "module.python"


def _resource(_caller: Caller, module: bytes, function: bytes, *_: bytes) -> str:
    return f"{name(module)}.{name(function)}"


def _would(_caller: Caller, module: bytes, function: bytes, arguments: bytes) -> str:
    return f"call {name(module)}.{name(function)}({shown(arguments)})"


def _stub(module: bytes, function: bytes, *_: bytes) -> str:
    called = name(module).rpartition(":")[2]
    return f'test.module("{called}", {{ {name(function)} = function(…) return … end }})'


@lent(
    action="module.call",
    resource=_resource,
    names=MODULE,
    writes=True,
    waits=True,
    holds=True,
    outside=True,
    would=_would,
    stub=_stub,
)
def module_call(caller: Caller, module: bytes, function: bytes, arguments: bytes) -> bytes:
    """Call a function with arguments, and return its results, both as `crossing` writes them."""
    return caller.host.module(name(module)).call(caller, name(function), arguments)
