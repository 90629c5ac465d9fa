"""The fields of an entry that names a server: how it is reached, and how long one tries."""

from __future__ import annotations

from pydantic import Field

from moonq.registry.common import Strict
from moonq.registry.fields import Flag, Wait


class Tls(Strict):
    """How the other side proves who it is, and we do; paths are below the project's folder."""

    ca: str | None = Field(
        None, description="file of the authorities to trust; unset: the system's"
    )
    cert: str | None = Field(None, description="file of our certificate")
    key: str | None = Field(None, description="file of its private key")
    verify: Flag = Field(True, description="false trusts every server: for trying things out only")


class Reconnecting(Strict):
    """How long a connection is tried for, and how soon again; mixed into an entry's model."""

    connection_timeout: Wait = Field(5.0, description="to connect and to be let in")
    reconnect_delay: Wait = Field(0.05, description="before the first new try; doubles with each")
    reconnect_max_delay: Wait = Field(5.0, description="the longest wait between two tries")
