"""A host to ask: the one that runs, or a private one in this process.

    with reach(Path("shop")) as host:
        host.request("peek", queue="orders")
    with reach(Path("shop"), local=True, whole=True) as host:
        host.client.request("eval", src="1 + 1")

A private host has the same socket and the same sessions as any other, in a temporary folder, so
there is one way to do things. It is in no list of running hosts, and its consumers are off unless
they are to start. Unless it is to be whole, it starts only what a request is about: what lies with
a durable driver. What lies in another process's memory it cannot reach, and says so.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moonq.control import hosts
from moonq.control.client import Client, connect, connect_to
from moonq.control.locating import USUAL, Place, all_records, place_of, place_of_record
from moonq.errors import Held, Invalid, NoHost, StopTimeout
from moonq.operations.verb import Argument, Needs, Verb, Where
from moonq.operations.verbs import VERBS
from moonq.registry.overrides import NOTHING, Said

if TYPE_CHECKING:
    from moonq.host import Host
    from moonq.run.queues import Route

#: How often a command tries to open what another process holds; one try waits a second or so.
_TRIES = 10


class Reached:
    """A connection to a host, and how to get another one."""

    is_partial = False
    """Whether it is a private host that starts only what requests are about."""

    def __init__(
        self,
        connect: Callable[[], Client],
        *,
        is_private: bool = False,
        among: Sequence[Place] = (),
    ) -> None:
        self.is_private = is_private
        self.connect = connect
        self.client = connect()
        self.among = among if len(among) > 1 else ()
        """The hosts of which it is any, where there are several and none was named."""

    @property
    def name(self) -> str:
        """The project's name."""
        return str(self.client.hello["project"])

    @property
    def called(self) -> str:
        """The project's name, and the host's behind it where it was given one."""
        name = self.client.hello.get("name")
        return self.name if name in ("", None, USUAL) else f"{self.name}@{name}"

    @property
    def where(self) -> str:
        """The project and its profile, as questions name them."""
        return f"{self.name} ({self.client.hello['profile']})"

    @property
    def is_production(self) -> bool:
        """Whether the host says that its project is in production."""
        return bool(self.client.hello.get("production"))

    def request(self, kind: str, **fields: Any) -> Any:
        """Ask the host and return its answer.

        Raises:
            SeveralHosts: It is about what each host has for itself, and none was named.
            MoonqError: What the host answered instead, or that it is gone.
        """
        if self.among:
            self._check_any(VERBS.get(kind), fields)
        return self.client.request(kind, **fields)

    def _check_any(self, verb: Verb | None, fields: Mapping[str, Any]) -> None:
        """Refuse to take any host where it matters which one it is."""
        if verb is None:
            return
        sources = ["queue", "target", "holder"]
        if verb.where is Where.EACH:
            sources.append("consumer")  # else it only says whose rights hold
        for name in _named(verb, fields, *sources).values():
            for one in self.client.hello.get("own", ()):
                if name in (one, one.partition(":")[2]):
                    can_all = verb.where is not Where.ANY
                    raise hosts.several(self.among, f"each has its own {one}", can_all=can_all)

    def settle(self) -> Sequence[Place]:
        """Let this host be the one that is meant from now on; returns of which it was any."""
        among, self.among = self.among, ()
        return among

    def again(self) -> Client:
        """Return another client of the same host or, where it is gone, of any that can be meant.

        Raises:
            NoHost: None runs.
            HostSilent: It does not answer.
        """
        if self.client.place.is_claimed():
            return connect_to(self.client.place)
        return self.connect()

    def begin_anew(self) -> None:
        """Leave the session with its variables to itself, and have a new one."""
        before, self.client = self.client, self.again()
        if not before.read_only and self.client.read_only:
            self.client.write()
        before.close()


class Partial(Reached):
    """A private host that starts what a request is about, and no more."""

    is_partial = True

    def __init__(self, connect: Callable[[], Client], host: Host) -> None:
        super().__init__(connect, is_private=True)
        self._host = host
        self._started: set[str] = set()
        self._is_whole = False
        self._refused: NoHost | None = None
        # What went into memory here would be lost with this process.
        host.queues.gate = self._refuse_memory

    def request(self, kind: str, **fields: Any) -> Any:
        """Start what it takes, ask, and return the answer about what can be reached from here.

        Raises:
            NoHost: It is in another process's memory, or about what runs there.
            MoonqError: What the host answered instead.
        """
        verb = VERBS.get(kind)
        needs = verb.needs if verb else Needs.ANY
        if needs is Needs.LIVE:
            raise self._no_host()
        if needs is Needs.ANY:
            self._start_all()
        elif needs is Needs.DURABLE and verb is not None:
            self._start_named(verb, fields)
        found = super().request(kind, **fields)
        if kind == "eval" and self._refused is not None and not found.get("fault"):
            raise self._refused  # code may pass over the error that it got
        if kind == "queues":
            found["queues"] = [one for one in found["queues"] if self._is_durable(one["id"])]
        return found

    def _start_named(self, verb: Verb, fields: Mapping[str, Any]) -> None:
        if verb.name == "move":
            self._start_all()  # what nobody declares may lie at any driver
        named = _named(verb, fields, "queue", "target")
        for argument, name in named.items():
            self._start(name, may_be_consumer=argument.source == "target")
        if not named and fields.get("snapshot") is None:
            self._start_all()
            if not any(map(self._is_durable, self._host.queues.ids())):
                raise self._no_host()

    def _start(self, name: str, *, may_be_consumer: bool) -> None:
        project = self._host.project
        queue = project.id_of(name, "queue.queue", *(["queue.consumer"] if may_be_consumer else []))
        if queue in project.entries and project.entries[queue].kind == "queue.consumer":
            raise self._no_host()
        if queue not in self._started:
            self._host.announce()
            self._start_patiently(project.implied.get(queue, queue))
            self._started.add(queue)
        self._check_durable(self._host.queues.route(queue))

    def _start_patiently(self, service: str) -> None:
        """Start a service; what another process holds may be free a moment later."""
        for left in range(_TRIES - 1, -1, -1):
            try:
                self._host.start_service(service)
            except Held:
                if not left:
                    raise
            else:
                return

    def _start_all(self) -> None:
        if not self._is_whole:
            self._host.start(consumers=False)
            self._is_whole = True

    def _is_durable(self, queue: str) -> bool:
        return _outlasts(self._host.queues.route(queue))

    def _check_durable(self, route: Route) -> None:
        if not _outlasts(route):
            raise self._no_host()

    def _refuse_memory(self, route: Route) -> None:
        try:
            self._check_durable(route)
        except NoHost as problem:
            self._refused = problem
            raise

    def _no_host(self) -> NoHost:
        return NoHost(
            f"no moonq host is running for {self._host.project.name}, and what was asked is in the"
            " memory of one",
            hint="start one with `moonq run`",
        )


def _named(verb: Verb, fields: Mapping[str, Any], *sources: str) -> dict[Argument, str]:
    """Return what a request names that is one of *sources*."""
    return {
        one: str(fields[one.name])
        for one in verb.arguments
        if one.source in sources and fields.get(one.name) is not None
    }


@contextlib.contextmanager
def reach(  # noqa: PLR0913 - the ways in which a host can be meant
    project: Path,
    *,
    profile: str = "",
    said: Said = NOTHING,
    to: str | Place = "",
    host: str = "",
    live: bool = False,
    local: bool = False,
    whole: bool = False,
    start: bool = False,
    lost: Callable[[int], None] = lambda _: None,
    notice: Callable[[str], None] = lambda _: None,
) -> Iterator[Reached]:
    """Have a connection to the host that is meant: that of *project* if it runs, or a private one.

    A private one has *profile* and what was *said* laid over the project. One that runs has what it
    was started with; *notice* is told where that is not what was asked for.

    Where several run it is the one called *host*, or any that answers. *to* is the place of a host,
    or the socket, the pid or the project's folder of another one. *live* says that a private
    host would be of no use, *local* that it is wanted even beside a running one. *whole* starts all
    of a private host, for a console that stays, and *start* its consumers too. *lost* is told how
    many messages were still in the memory of a private host when it ended, if there were any.

    Raises:
        NoHost: The one that is meant does not run.
        HostSilent: It runs and does not answer.
        ProjectInvalid: A private host cannot be made of these files.
    """
    if local and (to or host):
        raise Invalid(
            "a private host is no host to attach to", hint="drop --local, or --attach and --host"
        )
    with contextlib.ExitStack() as stack:
        running = None if local else _running(project, to, host, is_needed=live or bool(to or host))
        if running and (difference := other_profile(running.client, profile)):
            notice(difference)
        if running and said:
            notice(unheard(running.client, said))
        layers = (profile, said)
        found = running or stack.enter_context(_private(project, layers, whole, start, lost))
        try:
            yield found
        finally:
            found.client.close()


def other_profile(client: Client, wanted: str) -> str:
    """Say that a running host has another profile than the one that is *wanted*, if it is so."""
    has = client.hello.get("chosen_profile") or ""
    if not wanted or has == wanted:
        return ""
    how = f"with profile {has}, not {wanted}" if has else f"without a profile, not with {wanted}"
    return f"{client.hello['project']} runs {how} (pid {client.hello['pid']}); it is asked as it is"


def unheard(client: Client, said: Said) -> str:
    """Say that a running host does not hear what was *said*."""
    options = " and ".join(dict.fromkeys(one.option for one in (*said.settings, *said.fields)))
    name, pid = client.hello["project"], client.hello["pid"]
    return f"{name} runs as it was started (pid {pid}): {options} counts for hosts that start"


def _running(project: Path, to: str | Place, host: str, *, is_needed: bool) -> Reached | None:
    """The running host; None when a private one will do instead."""
    if isinstance(to, Place):
        return Reached(lambda: connect_to(to))
    if to.isdigit():
        return Reached(lambda: _by_pid(int(to)))
    is_project = Path(to).is_dir() or to.endswith((".yaml", ".yml"))
    if to and not is_project:
        return Reached(lambda: connect(project, socket_path=Path(to)))
    home = Path(to) if to else project
    try:
        among = () if host else hosts.running(home)
        return Reached(lambda: connect(home, host=host), among=among)
    except NoHost:
        if is_needed:
            raise
        return None


def client_of(record: Mapping[str, Any]) -> Client:
    """Return a client of the host that wrote *record* about itself.

    Raises:
        NoHost: It has gone.
        HostSilent: It does not answer.
    """
    return connect_to(place_of_record(record))


def _by_pid(pid: int) -> Client:
    for record in all_records():
        if record["pid"] == pid:
            return client_of(record)
    raise NoHost(f"no moonq host of yours has pid {pid}", hint="`moonq status` lists them")


@contextlib.contextmanager
def _private(
    project: Path,
    layers: tuple[str, Said],
    whole: bool,
    consumers: bool,
    lost: Callable[[int], None],
) -> Iterator[Reached]:
    from moonq.control.server import Server
    from moonq.host import Host
    from moonq.kinds import load

    profile, said = layers
    host = Host(load(project, profile=profile, said=said))
    with tempfile.TemporaryDirectory(prefix="moonq-", ignore_cleanup_errors=True) as folder:
        place = place_of(project, Path(folder, "host.sock"))
        server = Server(host, place)

        def open_client() -> Client:
            return connect(project, socket_path=place.socket)

        # Claimed by hand, so that this host is in no list of running ones.
        with place.claim():
            try:
                if whole:
                    host.start(consumers=consumers)
                server.listen()
                yield (
                    Reached(open_client, is_private=True) if whole else Partial(open_client, host)
                )
            finally:
                server.stop()
                with contextlib.suppress(StopTimeout):
                    host.stop(timeout=2.0)
                if count := _in_memory(host):
                    lost(count)


def _in_memory(host: Host) -> int:
    """Count the messages that end with *host*; what died is in a queue of its own."""
    routes = (host.queues.route(name) for name in host.queues.ids())
    passing = [one for one in routes if not _outlasts(one)]
    return sum(one.driver.info(one.spec.name).message_count or 0 for one in passing)


def _outlasts(route: Route) -> bool:
    """Whether messages outlive the process that published them."""
    return route.driver.capabilities().durable != "none"
