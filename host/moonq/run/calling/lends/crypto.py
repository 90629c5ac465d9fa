"""Digests, signatures, comparing secrets, and bytes as text: hashlib, hmac and base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import NamedTuple

from moonq.errors import Invalid
from moonq.run.calling.lending import Caller, lent
from moonq.sandbox.lend import text

#: No older ones: nothing is left that they are fit for.
ALGORITHMS = ("sha256", "sha384", "sha512")


class Encoding(NamedTuple):
    """How bytes travel in a text."""

    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


@lent(action=None, writes=False, waits=False)
def crypto_digest(caller: Caller, algorithm: bytes, data: bytes) -> bytes:
    """Return the digest of *data*."""
    return hashlib.new(_known(algorithm), data).digest()


@lent(action=None, writes=False, waits=False)
def crypto_hmac(caller: Caller, algorithm: bytes, key: bytes, data: bytes) -> bytes:
    """Return the HMAC of *data* under *key*."""
    return hmac.digest(key, data, _known(algorithm))


@lent(action=None, writes=False, waits=False)
def crypto_equals(caller: Caller, one: bytes, other: bytes) -> bool:
    """Whether two texts are equal, in a time that says nothing of where they differ."""
    return hmac.compare_digest(one, other)


@lent(action=None, writes=False, waits=False)
def crypto_encode(caller: Caller, encoding: bytes, data: bytes) -> bytes:
    """Return *data* as text."""
    return ENCODINGS[text(encoding)].encode(data)


@lent(action=None, writes=False, waits=False)
def crypto_decode(caller: Caller, encoding: bytes, data: bytes) -> bytes:
    """Return the bytes that a text stands for."""
    called = text(encoding)
    try:
        return ENCODINGS[called].decode(data)
    except ValueError as problem:
        raise Invalid(f"crypto.{called}.decode: {_words(problem)}") from None


def _known(algorithm: bytes) -> str:
    called = text(algorithm[:32])
    if called not in ALGORITHMS:
        raise Invalid(f"algorithm {called!r} is not one of {', '.join(ALGORITHMS)}")
    return called


def _words(problem: ValueError) -> str:
    said = str(problem).replace("base64-encoded string", "text")
    return said[:1].lower() + said[1:]


def _from_base64(data: bytes) -> bytes:
    return base64.b64decode(data, validate=True)


def _to_url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _from_url(data: bytes) -> bytes:
    """Read the variant for URLs, with or without its padding."""
    if not data.isascii() or b"+" in data or b"/" in data:
        raise ValueError("only letters, digits, `-` and `_` are expected")
    bare = data.rstrip(b"=")
    padding = b"=" * (-len(bare) % 4)
    if data not in (bare, bare + padding):
        raise ValueError("incorrect padding")
    return base64.b64decode(bare + padding, b"-_", validate=True)


ENCODINGS: Mapping[str, Encoding] = {
    "base64": Encoding(base64.b64encode, _from_base64),
    "base64url": Encoding(_to_url, _from_url),
    "hex": Encoding(binascii.hexlify, binascii.unhexlify),
}
