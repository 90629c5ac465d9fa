"""Which machines a request may reach.

    rules = Rules.of(["10.0.0.0/8", "bank.internal"], is_production=True)
    rules.refusal("169.254.169.254", "cloud.test")  # "the address of a cloud's metadata service"
    rules.refusal("10.1.2.3", "db.test")            # "": the entry names its network

What is refused without an entry that names it are addresses that a request has no business with:
there an attacker who can choose a URL finds secrets. In production that holds for this machine and
private networks, too; there the name of a host is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import NamedTuple

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Where clouds hand out credentials: AWS (also to containers), Alibaba, Oracle, Azure, Google.
_METADATA = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fd20:ce::254",
        ),
    )
)
_THIS_NETWORK = ip_network("0.0.0.0/8")
_RESERVED = ip_network("240.0.0.0/4")
#: RFC 6052: the last 32 bits are an IPv4 address; the old IPv4-compatible form has them there too.
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")
#: RFC 2765: an IPv4 address that a translator puts here for machines that speak IPv6 only.
_TRANSLATED = ip_network("::ffff:0:0:0/96")
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
_NETWORK = re.compile(r"[0-9A-Fa-f:.]+/[0-9]+")


class Rules(NamedTuple):
    """Whom an entry names, and whether it is used in production."""

    networks: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = ()
    """Names in lower case, perhaps with `*.` in front."""
    is_production: bool = False

    @classmethod
    def of(cls, allow: Iterable[str], *, is_production: bool) -> Rules:
        """Return the rules of an entry that names *allow*: addresses, networks and hosts."""
        networks: list[Network] = []
        hosts: list[str] = []
        for one in allow:
            network = network_of(one)
            if network is None:
                hosts.append(one.lower().rstrip("."))
            else:
                networks.append(network)
        return cls(tuple(networks), tuple(hosts), is_production)

    def refusal(self, address: str, host: str) -> str:
        """Return what *address* is that *host* must not lead to; nothing: it may."""
        found = ip_address(address)
        forms = list(_forms(found))
        if any(form in network for form in (found, *forms) for network in self.networks):
            return ""
        for form in forms:
            if what := _never(form) or (self._is_shut(host) and _inside(form)):
                return what if form == found else f"another form of {form}, {what}"
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            return f"the IPv4 address {found.ipv4_mapped} written as IPv6"
        return ""

    def _is_shut(self, host: str) -> bool:
        """Whether *host* must not be this machine, or one of a private network."""
        name = host.lower().rstrip(".")
        return self.is_production and not any(fnmatchcase(name, one) for one in self.hosts)


def network_of(text: str) -> Network | None:
    """Return the network or the one address that *text* is; None: it is none.

    Raises:
        ValueError: It is a network with bits of a machine in it, such as 10.0.0.1/8.
    """
    try:
        return ip_network(text.strip("[]"))
    except ValueError:
        if _NETWORK.fullmatch(text):
            raise
        return None


def _forms(address: Address) -> Iterator[Address]:
    """Yield *address* and the IPv4 address that it stands for; mapped it is nothing else."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if (
        address in _NAT64
        or address in _TRANSLATED
        or (address in _COMPATIBLE and int(address) > 0xFFFF)
    ):
        yield IPv4Address(int(address) & 0xFFFF_FFFF)


def _never(address: Address) -> str:
    """Return what *address* is that must be named by its number; nothing: it is not such a one."""
    if address in _METADATA:
        return "the address of a cloud's metadata service"
    if address.is_unspecified or address in _THIS_NETWORK:
        return "no machine's address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if address in _RESERVED or address in _LOCAL_NAT64:
        return "a reserved address"
    return ""


def _inside(address: Address) -> str:
    if address.is_loopback:
        return "this machine"
    return "" if address.is_global else "an address of a private network"
