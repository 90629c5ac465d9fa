"""Runs tests written in Lua against a project, in virtual time.

    sources   which files and entries have tests, and whose project they belong to
    suites    one of them, loaded in a Lua state of its own: its cases, and running them
    world     what is under test, new for each case: queues, states, stores, clock, stubs, logs
    runner    which cases run, in what order, in how many processes
    blocks    a failure, drawn; reporters tell how a run goes

A suite's script talks to the world through `lends`; `lua/testing.lua` is the other end.
"""
