"""The fields of an entry that names a server: how it is reached, and how long one tries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from moonq.errors import Refused
from moonq.registry.common import Strict
from moonq.registry.fields import Flag, Wait

if TYPE_CHECKING:
    import ssl


class Tls(Strict):
    """How the other side proves who it is, and we do; paths are below the project's folder."""

    ca: str | None = Field(
        None, description="File of the authorities to trust; unset: the system's."
    )
    cert: str | None = Field(None, description="File of our certificate.")
    key: str | None = Field(None, description="File of its private key.")
    verify: Flag = Field(True, description="False trusts every server: for trying out only.")


class Reconnecting(Strict):
    """How long a connection is tried for, and how soon again; mixed into an entry's model."""

    connection_timeout: Wait = Field(
        5.0, description="How long connecting and being let in may take."
    )
    reconnect_delay: Wait = Field(
        0.05, description="The wait before the first new try; it doubles with each."
    )
    reconnect_max_delay: Wait = Field(5.0, description="The longest wait between two tries.")


def context(tls: Tls, root: Path) -> ssl.SSLContext:
    """Return how TLS is spoken; paths are below *root*.

    Raises:
        Refused: A file is not there, or is no certificate; names it.
    """
    import ssl

    try:
        made = ssl.create_default_context(cafile=str(root / tls.ca) if tls.ca else None)
        if not tls.verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        if tls.cert:
            # Without the empty password OpenSSL would ask for one at the terminal.
            key = root / tls.key if tls.key else None
            made.load_cert_chain(root / tls.cert, key, password=lambda: "")
    except (OSError, ssl.SSLError) as problem:
        files = ", ".join(filter(None, (tls.ca, tls.cert, tls.key)))
        raise Refused(
            f"the certificates of tls cannot be read: {problem.strerror or problem}",
            hint=f"check {files}",
        ) from None
    return made
