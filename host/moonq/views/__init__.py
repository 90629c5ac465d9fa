"""What people see: one view for each kind of thing, for command line, console and dashboard.

    from moonq import views
    screen = views.Screen.of(sys.stdout)
    views.show(views.queues(host.request("queues"), screen))

A view takes an operation's answer and a screen and yields lines; `notes` is the talk beside an
answer, for stderr. `screen` knows the output, the colours and how to reach rich; `tables` draws
rows and facts; the other modules hold the views.
"""

from moonq.views.access import access
from moonq.views.answers import (
    NOTED,
    by_host,
    done,
    dropped,
    hosts,
    moved,
    notes,
    peers,
    published,
    reloaded,
    scaled,
    stopping,
    undo,
)
from moonq.views.bench import bench
from moonq.views.calls import called, fault, problem, replayed
from moonq.views.entries import entries, entry, graph
from moonq.views.events import event, plain_event
from moonq.views.messages import dead_queues, letter, letters, message, messages
from moonq.views.queues import ordered, queues
from moonq.views.screen import Screen, show
from moonq.views.values import value

__all__ = [
    "NOTED",
    "Screen",
    "access",
    "bench",
    "by_host",
    "called",
    "dead_queues",
    "done",
    "dropped",
    "entries",
    "entry",
    "event",
    "fault",
    "graph",
    "hosts",
    "letter",
    "letters",
    "message",
    "messages",
    "moved",
    "notes",
    "ordered",
    "peers",
    "plain_event",
    "problem",
    "published",
    "queues",
    "reloaded",
    "replayed",
    "scaled",
    "show",
    "stopping",
    "undo",
    "value",
]
