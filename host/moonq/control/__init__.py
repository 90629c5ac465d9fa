"""The Unix socket through which people reach a running host.

`locating` says where it is, `frames` what travels over it, `server` and `session` are the host's
end, `client` is the other one. `reaching` finds a host, or does without one.
"""
