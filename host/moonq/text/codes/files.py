"""Codes of files that cannot be read."""

from __future__ import annotations

from moonq.text.codes.code import SHOWN, Code

INDEX = "_index.yaml"

CODES = (
    Code(
        "P101",
        "The file is no YAML",
        "A bracket or a quote is not closed, a line is indented differently from its neighbours, a"
        " value has a `:` of its own, or a line is neither `key: value` nor an item.",
        "Go to the place that is marked and write what the help says; quotes around a value help"
        " wherever YAML might take it for something else.",
        {INDEX: "namespace: app\nentries:\n  - {name: mem, kind: queue.driver.memory\n"},
    ),
    Code(
        "P102",
        "A key is written twice",
        "One map has the same key two times, and only one of the values could hold.",
        "Remove one of the two lines.",
        {INDEX: "- name: mem\n  kind: queue.driver.memory\n  max_length: 10\n  max_length: 20\n"},
    ),
    Code(
        "P103",
        "A tab indents a line",
        "YAML indents with spaces only.",
        "Replace the tab with as many spaces as the neighbouring lines have.",
        {INDEX: "namespace: app\nentries:\n\t- name: mem\n"},
    ),
    Code(
        "P104",
        "A word meant something else in older YAML",
        "`yes`, `no`, `on`, `off` and numbers such as `0777` are read as YAML 1.2 has them: words"
        " are"
        " text, and a leading zero means nothing.",
        "Write `true` or `false` for a boolean, and put text into quotes.",
        {INDEX: "- name: mem\n  kind: queue.driver.memory\n  meta: {shared: yes}\n"},
    ),
    Code(
        "P105",
        "The file is no text that can be read",
        "It is not UTF-8, holds control characters, is larger than a YAML file may be, or this"
        " user may not"
        " read it.",
        "Save it as UTF-8, or take it out of the project.",
        {SHOWN: "error[P105]: orders.yaml cannot be read: permission denied\n"},
    ),
    Code(
        "P106",
        "The file is nested too deep",
        "Lists and maps lie in each other beyond any use, or aliases expand to too many values.",
        "Write a plain list of entries.",
        {INDEX: f"- name: deep\n  kind: registry.entry\n  levels: {'[' * 120}{']' * 120}\n"},
    ),
    Code(
        "P107",
        "A number does not fit into 64 bits",
        "Lua and the brokers count in 64 bits.",
        "Put it into quotes where it is text, such as the number of a card.",
        {INDEX: "- name: card\n  kind: registry.entry\n  number: 49927398716499273987\n"},
    ),
    Code(
        "P110",
        "The text is no Lua",
        "A block, a text or a comment is not closed, or Lua did not expect what stands there,"
        " such as"
        " `!=` or `+=`.",
        "Write what the help says; the frame shows where a block was opened that nothing closes.",
        {
            INDEX: "- name: greet\n  kind: function.lua\n  source: file://greet.lua\n",
            "greet.lua": "return function(name)\n  return name != nil\nend\n",
        },
    ),
    Code(
        "P120",
        "A file that an entry names is not there",
        "`source` or `schema` names a path seen from the folder of its YAML file, and there is no"
        " such file;"
        " or it is neither `file://` and a path nor Lua text.",
        "Correct the path, or make the file.",
        {INDEX: "- name: greet\n  kind: function.lua\n  source: file://gret.lua\n"},
    ),
    Code(
        "P121",
        "A file lies outside of the project",
        "A path leads out of the project's folder, perhaps by a symbolic link.",
        "Move the file below the project.",
        {INDEX: "- name: greet\n  kind: function.lua\n  source: file://../shared/greet.lua\n"},
    ),
    Code(
        "P122",
        "The file of a Python module is no Python",
        "Python does not compile the file that `source` names.",
        "Correct the line that is marked.",
        {
            INDEX: "- name: bank\n  kind: module.python\n  source: file://bank.py\n"
            "  functions: [charge]\n",
            "bank.py": "def charge(order)\n    return True\n",
        },
    ),
)
