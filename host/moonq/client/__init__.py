"""Publishes from Python programs.

    from moonq.client import Client

    with Client("shop") as moonq:
        moonq.publish("app:orders", {"id": 42}, headers={"source": "web"}, delay="5m")

Messages go over the socket of the host that runs the project, which decides as for any other
publisher: what it refuses is raised as one of `moonq.errors`. A client connects with its first
message and again after the host was away; threads may share it, and each process of a program that
forks has a connection of its own.
"""

from moonq.client.publication import Body, Duration, Header, Moment, Options, Publication
from moonq.client.publisher import Client

__all__ = ["Body", "Client", "Duration", "Header", "Moment", "Options", "Publication"]
