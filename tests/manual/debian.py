"""A Debian that was installed a minute ago, in a folder, for the first hour of a new user.

    with Debian.fresh(folder, cache) as debian:
        debian.shell("python3 --version")

`debootstrap` makes it of the packages that `PACKAGES` names and no others, from the mirror that apt
has here, and only once: what it made stays in *cache*. The user there is `ada`. A command runs in a
mount namespace of its own, so that nothing stays mounted whatever ends it.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import missing

#: What a new user has beside a Debian that can do nothing: as README and getting-started.md say.
PACKAGES = ("make", "pipx", "python3-venv", "ca-certificates")
#: What the network needs here: the resolver, whom to trust, and where pip is told to look.
NETWORK = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/pip.conf",
    "/etc/ssl/certs/ca-certificates.crt",
)
_USER = "ada"
_TOOLS = {"debootstrap": "debootstrap", "unshare": "util-linux", "apt-get": "apt", "tar": "tar"}
_ENTER = f"""
mount -t proc proc "$1/proc"
root=$1; shift
exec chroot --userspec={_USER} "$root" "$@"
"""


@dataclass(frozen=True)
class Debian:
    """One that runs below the folder `root`."""

    root: Path

    @property
    def home(self) -> Path:
        """Where `ada` is at home, as seen from outside."""
        return self.root / "home" / _USER

    @classmethod
    @contextmanager
    def fresh(cls, folder: Path, cache: Path) -> Iterator[Debian]:
        """Unpack one into *folder*, and take it away in the end."""
        packed = _packed(cache)
        try:
            subprocess.run(["tar", "-xpf", packed, "-C", folder], check=True)
            debian = cls(folder)
            debian._furnish()
            yield debian
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def command(self, *words: str, folder: Path | None = None, columns: int = 100) -> list[str]:
        """Return what runs *words* as `ada` in *folder*, which is given as seen from outside."""
        inside = Path("/") / (folder or self.home).relative_to(self.root)
        variables = {
            "HOME": f"/home/{_USER}",
            "PATH": f"/home/{_USER}/moonq/bin:/home/{_USER}/.local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "NO_COLOR": "1",
            "COLUMNS": str(columns),
        }
        variables |= {key: value for key, value in os.environ.items() if _is_of_network(key)}
        there = ["/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(inside), *words]
        env = ["/usr/bin/env", "-i", *(f"{key}={value}" for key, value in variables.items())]
        enter = ["sh", "-ec", _ENTER, "sh", str(self.root)]
        return ["unshare", "--mount", "--propagation", "private", *enter, *env, *there]

    def shell(self, script: str, *, folder: Path | None = None, seconds: float = 900) -> str:
        """Run *script* there and return what it said."""
        command = self.command("/bin/sh", "-ec", script, folder=folder)
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{script}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def give(self, source: Path, name: str) -> Path:
        """Copy the file or folder *source* to `ada`, as *name* in her home."""
        to = self.home / name
        if source.is_dir():
            shutil.copytree(source, to, symlinks=True)
        else:
            shutil.copyfile(source, to)
        for path in (to, *to.rglob("*")):
            self.own(path)
        return to

    def own(self, path: Path) -> None:
        """Let *path* be hers, whoever wrote it; what is hers already is not touched."""
        her = self.home.stat()
        if path.lstat().st_uid != her.st_uid:
            os.chown(path, her.st_uid, her.st_gid, follow_symlinks=False)

    def _furnish(self) -> None:
        subprocess.run(["chroot", self.root, "useradd", "--create-home", _USER], check=True)
        for name in filter(os.path.exists, NETWORK):
            shutil.copyfile(name, self.root / name.lstrip("/"))


def _packed(cache: Path) -> Path:
    """Return the archive of a Debian, made first where there is none; skip where it cannot be."""
    if os.geteuid() != 0:
        missing("only root can make a Debian and change into it")
    for tool, package in _TOOLS.items():
        if shutil.which(tool) is None:
            missing(f"{tool} is not installed: {package}")
    mirror, codename = _mirror()
    packed = cache / f"{codename}-{platform.machine()}-{'-'.join(PACKAGES)}.tar"
    if not packed.exists():
        _bootstrap(packed, codename, mirror)
    return packed


def _bootstrap(packed: Path, codename: str, mirror: str) -> None:
    made = Path(tempfile.mkdtemp(dir=packed.parent))
    include = f"--include={','.join(PACKAGES)}"
    try:
        subprocess.run(
            ["debootstrap", "--variant=minbase", include, codename, made / "root", mirror],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        # The packages that it downloaded are needed no more.
        shutil.rmtree(made / "root" / "var" / "cache" / "apt" / "archives")
        subprocess.run(["tar", "-cpf", made / "tar", "-C", made / "root", "."], check=True)
        (made / "tar").replace(packed)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _mirror() -> tuple[str, str]:
    """Return where apt gets this distribution from, and what this release is called."""
    here = platform.freedesktop_os_release()
    codename = here.get("VERSION_CODENAME", "")
    asked = ["apt-get", "indextargets", "--format", "$(CODENAME) $(LABEL) $(REPO_URI)"]
    known = subprocess.run(
        [*asked, "Identifier: Packages"], capture_output=True, text=True, check=False
    )
    for line in known.stdout.splitlines():
        if line.startswith(f"{codename} Debian "):
            return line.rpartition(" ")[2], codename
    missing("apt knows no mirror of the Debian that runs here: apt-get update")
    raise AssertionError  # `missing` does not return


def _is_of_network(name: str) -> bool:
    return name.startswith("PIP_") or name.lower() in ("http_proxy", "https_proxy", "no_proxy")
