"""How long the module `json` takes for bodies of three sizes, in one Lua state without a host.

Run it with the package installed: `python tests/bench/json_bench.py`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from lupa.lua54 import LuaRuntime

from moonq.sandbox import chunks

LOOPS = b"""
local source, text = ...
local loaded = {}
function require(name)
  loaded[name] = loaded[name] or load(source(name), name, "b")(name)
  return loaded[name]
end
local json = require("json")
local decode, encode = json.decode, json.encode
local value = decode(text)
return function(n) for _ = 1, n do decode(text) end end,
  function(n) for _ = 1, n do encode(value) end end
"""
ROUNDS = 7
SECONDS = 0.1


def order(items: int) -> dict[str, Any]:
    lines = [{"sku": f"sku-{n}", "price": 19.95, "count": n, "gift": False} for n in range(items)]
    return {"id": "order-123", "user": 42, "lines": lines, "note": "grün\nund eilig"}


SIZES = {
    "a task": {
        "id": "task-123",
        "action": "process",
        "data": {
            "user": 42,
            "amount": 19.95,
            "items": [1, 2, 3],
            "note": "leave it at the door" * 4,
        },
        "ok": True,
    },
    "an order": order(30),
    "a batch": [order(30) for _ in range(100)],
}


def microseconds(loop: Callable[[int], None]) -> float:
    """The best of some rounds: what others do on the machine only ever adds."""
    count, took = 1, 0.0
    while took < SECONDS / 4:
        count *= 4
        took = seconds(loop, count)
    best = min(seconds(loop, count) for _ in range(ROUNDS))
    return best / count * 1e6


def seconds(loop: Callable[[int], None], count: int) -> float:
    begun = time.thread_time()
    loop(count)
    return time.thread_time() - begun


def main() -> None:
    print(f"{'json':12}{'bytes':>10}{'decode µs':>12}{'encode µs':>12}")
    for name, value in SIZES.items():
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        runtime = LuaRuntime(encoding=None, unpack_returned_tuples=True)
        decode, encode = runtime.execute(LOOPS, chunks.source, text)
        print(f"{name:12}{len(text):>10}{microseconds(decode):>12.1f}{microseconds(encode):>12.1f}")


if __name__ == "__main__":
    main()
