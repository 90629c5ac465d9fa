"""How long the module `json` takes for bodies of three sizes, in one Lua state without a host.

Run it with the package installed: `python tests/bench/json_bench.py`. It measures the Lua half and,
where there is one, the native half that answers for it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from lupa.lua54 import LuaRuntime

from moonq.sandbox import chunks, native

LOOPS = b"""
local source, path, text = ...
local loaded = {}
if path then
  loaded["host.json.native"] = {
    decode = package.loadlib(path, "moonq_json_decode"),
    encode = package.loadlib(path, "moonq_json_encode"),
    main = coroutine.running(),
  }
end
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
    codec = native.codec()
    paths = {"lua": None, codec.name: native.path()}
    print(f"JSON of this moonq: {codec.name}" + (f" ({codec.why})" if codec.why else ""))
    print(f"\n{'json':12}{'codec':8}{'bytes':>10}{'decode µs':>12}{'encode µs':>12}")
    for name, value in SIZES.items():
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        for half, path in paths.items():
            runtime = LuaRuntime(encoding=None, unpack_returned_tuples=True)
            decode, encode = runtime.execute(LOOPS, chunks.source, path, text)
            took = f"{microseconds(decode):>12.1f}{microseconds(encode):>12.1f}"
            print(f"{name:12}{half:8}{len(text):>10}{took}")


if __name__ == "__main__":
    main()
