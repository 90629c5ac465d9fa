"""Every variable of the environment that moonq reads, beside those that set options.

A test holds the table against the places that read one. Entries may name any others.
"""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES: Mapping[str, str] = {
    "NO_COLOR": "Set to anything, nothing is drawn in colours (https://no-color.org).",
    "FORCE_COLOR": "Set to anything but 0, colours are drawn although the output is no terminal.",
    "COLORTERM": "`truecolor` or `24bit`: the terminal has all colours.",
    "TERM": "What the terminal can do: `dumb` has no colours and no dashboard.",
    "COLUMNS": "How wide the terminal is, instead of what it says itself.",
    "PAGER": "What shows long output, instead of `less`.",
    "LESS": "Options of `less`; unset: `FRX`. Colours are asked for in any case.",
    "CI": "Set to anything but 0, false or no: `moonq test` writes no new snapshots, and a test"
    " that is left as the only one fails.",
    "GITHUB_ACTIONS": "`true`: `moonq test` reports failures as annotations of GitHub.",
    "XDG_RUNTIME_DIR": "Where the list of running hosts is, in its folder `moonq`; unset or"
    " unusable: in the folder for temporary files.",
    "XDG_STATE_HOME": "Where the console keeps its history, in its folder `moonq`; unset:"
    " `~/.local/state`.",
    "AWS_REGION": "The region of a queue.driver.sqs that names none; boto3 reads AWS's other"
    " variables, such as `AWS_PROFILE` and `AWS_ACCESS_KEY_ID`.",
    "MOONQ_JSON_CODEC": "`lua`: JSON is read and written in Lua, though the codec in C was built;"
    " `native`: nothing starts without it. `moonq version` says which one it is.",
    "CC": "The compiler that builds the codec in C while moonq is installed.",
    "MOONQ_DEBUG_LUA": "Set to anything, moonq's own Lua keeps its line numbers, which makes every"
    " state more than twice as large.",
    "MOONQ_COPY_METATABLES": "Set to anything, a script's metatables are copied instead of guarded"
    " by hidden names: the slower of two ways, for tests.",
    "LANG": "The language of a worker's process, as of any program.",
    "LC_ALL": "The same, before `LANG`.",
    "LD_LIBRARY_PATH": "Where a worker's process finds the libraries of this Python.",
    "PYTHONHOME": "Where a worker's process finds Python, as of any program.",
}
