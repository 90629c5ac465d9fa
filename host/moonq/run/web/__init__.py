"""Requests over HTTP that scripts make: who may be asked, within which time, and how much answers.

`clients` has the clients of a host, `asking` does one call with one of them, `wanted` reads what a
script wants, `addresses` knows which machines are nobody's business, `line` is the wire.
"""
