"""The hosts at one store: who is there, and how much each of them holds."""

from __future__ import annotations

import os
from collections.abc import Sequence

from moonq.conformance.case import exactly
from moonq.conformance.scene import Consumer, Scene
from moonq.drivers.base import Driver, Peer, machine


def a_host_is_among_its_peers(scene: Scene) -> None:
    """§9 peers: with its name, its machine, its process and the moment it came."""
    scene.later(5)
    scene.reopen("blue")
    for own in _told(scene.driver):
        assert own[:3] == ("blue", machine(), os.getpid())
        assert scene.near(own.since, scene.clock.now())


def a_host_is_busy_with_what_it_holds(scene: Scene) -> None:
    """§9 peers: from the moment it takes a message until the verdict."""
    consumer, delivery = scene.running("a")
    assert [peer.busy for peer in _told(scene.driver)] in ([1], [])
    consumer.settle(delivery)
    assert [peer.busy for peer in _told(scene.driver)] in ([0], [])


@exactly("several_hosts")
def all_hosts_at_a_store_know_of_each_other(scene: Scene) -> None:
    """§9 peers: the longest there first, each with what it holds itself."""
    scene.reopen("blue")
    scene.later(1)
    with scene.neighbour("green") as other:
        if other.peers() is None:
            return
        scene.publish("a")
        consumer = Consumer(other.subscribe("q", 1), scene.patience)
        (delivery,) = consumer.run()
        both = [("blue", 0), ("green", 1)]
        for driver in (scene.driver, other):
            assert [(peer.name, peer.busy) for peer in _told(driver)] == both
        consumer.settle(delivery)
        consumer.subscription.close(scene.clock.monotonic() + 10)
    assert [peer.name for peer in _told(scene.driver)] == ["blue"]


def _told(driver: Driver) -> Sequence[Peer]:
    """Who is there; nobody where the store cannot tell."""
    return driver.peers() or ()
