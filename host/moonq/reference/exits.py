"""What the exit codes of commands mean."""

from __future__ import annotations

from moonq.reference.markdown import section, table

#: Code -> what it means; several that stand together mean as many things.
CODES = {
    "0": "Done.",
    "1": "The answer is no: a call failed, the check found errors, a test failed.",
    "2": "Wrong usage, JSON typed on the command line that is none included.",
    "3": "The project is invalid, and nothing was started.",
    "4": "What was named is not there: no such entry, message, error, file or host; or several"
    " hosts run where one is to be named.",
    "5": "Unavailable: a broker is away, a store cannot be opened, a host does not answer.",
    "6": "Denied: a policy, or the broker, says no.",
    "7": "It needs a yes: `--yes` says so in scripts.",
    "8": "Out of time: handlers did not end before the stop limit, or nothing moved for"
    " `--idle-timeout`.",
    "9": "No test matched.",
    "10": "Coverage is below `--cov-min`.",
    "70": "A bug in moonq; the file with the report is named.",
    "129": "Ended by SIGHUP before it was done.",
    "130": "Stopped at once, by Ctrl-C.",
    "141": "Whoever read the output has gone, as `head` does.",
    "143": "Ended by SIGTERM before it was done.",
}


def section_of_codes() -> str:
    """Return the section with the table."""
    rows = ([code, meaning] for code, meaning in CODES.items())
    return section("Exit codes", table(["exit code", "meaning"], rows))
