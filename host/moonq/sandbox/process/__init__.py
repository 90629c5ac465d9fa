"""Lua states in processes of their own, which can be killed.

    host                                fork server (clean, one thread)      child
    children.Children.spawn()  ------>  server.Server: forks        ------>  child.Child
    remote.RemoteState         <--------- frames over a socketpair ------->  state.LuaState

A child has a Lua interpreter and nothing else: what is lent to scripts runs in the host, on the
thread of the worker whose state it is.
"""
