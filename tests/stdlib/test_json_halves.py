"""The native half of JSON against the Lua half: whatever comes, the same values, texts and errors.

The short form runs with the other tests. `make soak` runs half a million texts, and some of them
once more in a process where the compiler's own checks watch every access and every sum.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lupa.lua54 import LuaRuntime
from tests.stdlib.test_json_properties import dump, layouts, values

from moonq.sandbox import chunks, native

HERE = Path(__file__).parent
#: How often each text of hypothesis is spoilt; half of the values are made in Lua itself.
TIMES = 200
SHORT, CHECKED, LONG = 20, 300, 2501
#: Where the checked library is, in the process that it is checked in.
LIBRARY = "MOONQ_TEST_LIBRARY"
FLAGS = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


class Halves:
    """Both halves in one state; see `json_halves.lua`."""

    def __init__(self, library: Path) -> None:
        problem = native.problem(library)
        if problem and native.codec().name == "lua":
            pytest.skip(f"{library.name} {problem}")
        assert not problem
        runtime = LuaRuntime(encoding=None, unpack_returned_tuples=True)
        text = (HERE / "json_halves.lua").read_bytes()
        self.texts, self.tables, self.decode = runtime.execute(
            text, chunks.source, os.fsencode(library)
        )


@pytest.fixture(scope="session")
def halves() -> Halves:
    return Halves(Path(os.environ.get(LIBRARY, native.LIBRARY)))


def fuzz(halves: Halves, examples: int) -> None:
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(value=values, layout=layouts, seed=st.integers(0, 2**62))
    @example(value={"a": [], "": {}, "ä\n": [1.5, None, "\U0001f600"]}, layout=(None, True), seed=1)
    def both(value: Any, layout: tuple[int | None, bool], seed: int) -> None:
        assert halves.texts(dump(value, layout), seed, TIMES) is None
        assert halves.tables(seed, TIMES) is None

    both()


def test_texts_and_tables(halves: Halves) -> None:
    fuzz(halves, CHECKED if LIBRARY in os.environ else SHORT)


@pytest.mark.slow
def test_half_a_million_texts(halves: Halves) -> None:
    fuzz(halves, LONG)


@pytest.mark.slow
@pytest.mark.skipif(not native.LIBRARY.exists(), reason="nothing was compiled here")
def test_nothing_is_read_or_written_out_of_bounds(
    compiled: Callable[..., str], root: Path, tmp_path: Path
) -> None:
    library = tmp_path / "json.native"
    assert compiled(native.SOURCE, library, *FLAGS) == ""
    runtime = subprocess.check_output(["cc", "-print-file-name=libasan.so"], text=True).strip()
    checked = f"{__file__}::test_texts_and_tables"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", checked],
        env={
            **os.environ,
            LIBRARY: str(library),
            "LD_PRELOAD": runtime,
            "ASAN_OPTIONS": "detect_leaks=0",
        },
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def compiled(root: Path) -> Callable[..., str]:
    """The function of the build hook."""
    spec = importlib.util.spec_from_file_location("build_hook", root / "host/build_hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.compiled  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"[" * 128 + b"]" * 128, id="as deep as may be"),
        pytest.param(b"[" * 129 + b"]" * 129, id="deeper"),
        pytest.param(b'{"a":' * 127 + b"[]" + b"}" * 127, id="objects as deep"),
        pytest.param(b'"' + b"x" * (2**20 - 2) + b'"', id="as large as C reads"),
        pytest.param(b'"' + b"x" * (2**20 - 1) + b'"', id="larger"),
        pytest.param(b'"' + b"\\u00e4" * 20_000 + b'"', id="a long string with escapes"),
        pytest.param(b"[" + b",".join([b"0"] * 20_000) + b"]", id="a long list"),
        pytest.param(b'{"a":1,"a":null,"b":null,"b":2,"c":[null]}', id="names there twice"),
        pytest.param(b"-9223372036854775808", id="the smallest integer"),
        pytest.param(b"[-0,-0.0,0.1e1,1e5,1E+2,0.30000000000000004]", id="forms of numbers"),
        pytest.param(b" \t\r\nnull \n", id="a null with blanks"),
    ],
)
def test_what_is_at_an_edge(halves: Halves, text: bytes) -> None:
    assert halves.decode(text) is None
    assert halves.decode(text[:-1]) is None
    assert halves.decode(text + b"]") is None
