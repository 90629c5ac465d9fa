from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from moonq.sandbox import native

pytestmark = pytest.mark.aside("tree")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a source distribution as a publisher would."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(root)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    [found] = out.glob("*.whl")
    return found


@pytest.mark.skipif(not native.LIBRARY.exists(), reason="nothing was compiled here either")
def test_a_wheel_is_for_this_platform_and_any_python(wheel: Path) -> None:
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name.endswith(f"-py3-none-{platform}.whl")


def test_without_a_compiler_the_wheel_is_pure(wheel: Path, tmp_path: Path) -> None:
    [packed] = wheel.parent.glob("*.tar.gz")
    with tarfile.open(packed) as source:
        # Python 3.11.3 and older have no filters.
        filtered = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        source.extractall(tmp_path, **filtered)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"],
        cwd=tmp_path / packed.name.removesuffix(".tar.gz"),
        env={**os.environ, "CC": "/no/compiler"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "its C half was not built: /no/compiler: No such file" in done.stdout + done.stderr
    [pure] = tmp_path.glob("*/dist/*-py3-none-any.whl")
    assert "moonq/sandbox/native/json.native" not in zipfile.ZipFile(pure).namelist()


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty virtual environment with the wheel in it; its dependencies are lent by this one."""
    env = tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", env], check=True)
    pip = [sys.executable, "-m", "pip", "--python", env / "bin" / "python", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
    [site] = env.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return env


def files_below(folder: Path) -> set[str]:
    """The files of *folder* that belong to it."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize(
    ("folder", "inside"),
    [("lua", "moonq/_lua"), ("stdlib", "moonq/_stdlib"), ("host/moonq", "moonq")],
)
def test_the_wheel_holds_everything_that_runs(
    root: Path, wheel: Path, folder: str, inside: str
) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    missing = {f"{inside}/{name}" for name in files_below(root / folder)} - names
    assert not missing
    assert not [name for name in names if "test" in name.split("/")[0]]


def test_the_installed_wheel_runs_the_example_from_another_folder(
    root: Path, elsewhere: Path, tmp_path: Path
) -> None:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    where = subprocess.run(
        [elsewhere / "bin" / "python", "-c", "import moonq; print(moonq.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=env,
    )
    assert where.stdout.startswith(str(elsewhere))
    seed = root / "examples" / "seed"
    done = subprocess.run(
        [
            elsewhere / "bin" / "moonq",
            "run",
            seed,
            "--call",
            "app.queue:publish_tasks",
            "--until-idle",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=env,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count('"message":"Verarbeite"') == 5
