"""Runs tests written in Lua against a project, in virtual time.

    sources    which files and entries have tests, and whose project they belong to
    suites     one of them, loaded in its own Lua state: its cases, and running them
    world      what is under test, new for each case: queues, states, stores, clock, stubs, logs
    selection  which cases run, in what order
    runner     runs the suites, in this process or in several
    results    what came of it: plain values
    blocks     a failure, drawn

A suite's script talks to the world through `lends`; `lua/test/testing.lua` is the other end. The
parts of a world are those of a host, made fit for one thread: `standin` for every driver,
`consumers` that run one delivery at a time, and `states` with stubs. `bench` has what belongs to
the running test: its stubs, its `faults`, and the record of `runs`.
"""
