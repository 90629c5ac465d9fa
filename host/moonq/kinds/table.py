"""Every kind of entry and the model of its fields: to add a kind, add a line."""

from __future__ import annotations

from moonq import drivers
from moonq.kinds.consumer import Consumer
from moonq.kinds.helpers import Data, MemoryStore, Policy, Variable
from moonq.kinds.queue import Queue
from moonq.kinds.scripts import Function, Library
from moonq.registry.common import Config

KINDS: dict[str, type[Config]] = {
    **drivers.kinds(),
    "queue.queue": Queue,
    "queue.consumer": Consumer,
    "function.lua": Function,
    "library.lua": Library,
    "security.policy": Policy,
    "store.memory": MemoryStore,
    "env.variable": Variable,
    "registry.entry": Data,
}

#: What people write who know the broker but not our word for it.
ALIASES = {
    "queue.driver.rabbitmq": ("RabbitMQ", "queue.driver.amqp"),
    "queue.driver.rabbit": ("RabbitMQ", "queue.driver.amqp"),
    "queue.driver.aws": ("Amazon SQS", "queue.driver.sqs"),
    "queue.driver.valkey": ("Valkey", "queue.driver.redis"),
    "queue.driver.inmemory": ("In memory", "queue.driver.memory"),
    "queue.driver.in_memory": ("In memory", "queue.driver.memory"),
    "queue.driver": ("A driver in memory", "queue.driver.memory"),
    "queue.driver.file": ("A queue in a file", "queue.driver.sqlite"),
    "function": ("A Lua function", "function.lua"),
    "library": ("A Lua library", "library.lua"),
    "queue": ("A queue", "queue.queue"),
    "consumer": ("A consumer", "queue.consumer"),
}
