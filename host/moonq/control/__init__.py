"""The Unix socket through which people reach a running host.

`locating` says where it is, `wire` what travels over it, `server` and `session` are the host's
end, `client` is the other one. `reaching` finds a host, or does without one.
"""

#: What a tail tells of: log lines, and the life of messages.
EVENTS = ("publish", "deliver", "ack", "nack", "dead", "log")
