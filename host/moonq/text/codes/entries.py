"""Codes of entries, settings and profiles."""

from __future__ import annotations

from moonq.text.codes.code import SHOWN, Code
from moonq.text.codes.files import INDEX

SETTINGS = "moonq.yaml"

CODES = (
    Code(
        "R200",
        "There is no project",
        "No YAML file with `namespace` and `entries` lies below the folder, or the folder is not"
        " there.",
        "Name the project's folder with `-C`, or make one with `moonq new`.",
        {
            SHOWN: "$ moonq run shop\nerror[R200]: no entries below 'shop': there is no such file"
            " or folder\n"
        },
    ),
    Code(
        "R201",
        "There is no such kind of entry",
        "`kind` is misspelt, is another program's word, or is a driver's that is not installed.",
        "Write a kind of the list in [Entries](entries.md).",
        {INDEX: "- {name: mem, kind: queue.driver.memroy}\n"},
    ),
    Code(
        "R202",
        "A field names an entry that is not there",
        "The id is misspelt, or the bare name is one of another namespace.",
        "Write the id that the help names; across namespaces write it in full: `app:orders`.",
        {
            INDEX: "- {name: orders, kind: queue.queue, driver: mem}\n"
            "- {name: worker, kind: queue.consumer, queue: ordres, func: process_order}\n"
        },
    ),
    Code(
        "R203",
        "Several entries have that name",
        "A bare name was typed, and more than one namespace has it.",
        "Write the id in full: `app:orders`.",
        {
            SHOWN: "$ moonq peek orders\nmoonq: 'orders' is ambiguous: app:orders, old:orders"
            " [R203]\n"
        },
    ),
    Code(
        "R204",
        "Entries depend on each other in a circle",
        "Each of them is to be there before the next one: by `depends_on`, or by `imports` of"
        " libraries.",
        "Take one of the edges away; what two libraries share goes into a third one.",
        {
            INDEX: "- {name: one, kind: store.memory, lifecycle: {depends_on: [other]}}\n"
            "- {name: other, kind: store.memory, lifecycle: {depends_on: [one]}}\n"
        },
    ),
    Code(
        "R205",
        "Two entries have the same id",
        "An id is the namespace of a file and the name of an entry, and there is one entry for"
        " each.",
        "Rename one of them.",
        {
            INDEX: "- {name: orders, kind: store.memory}\n"
            "- {name: orders, kind: queue.queue, driver: mem}\n"
        },
    ),
    Code(
        "R206",
        "There is no such field",
        "A key is misspelt, stands in the wrong map, or means nothing to this kind or driver.",
        "Write the field that the help names, or leave the line out.",
        {INDEX: "- {name: orders, kind: queue.queue, driver: mem, retires: {max_attempts: 3}}\n"},
    ),
    Code(
        "R207",
        "A value does not fit its field",
        "It is of another type, or says something that the field cannot mean. Nothing is"
        " converted silently:"
        ' `"4"` is text and no number.',
        "Write what the message asks for; [Entries](entries.md) says what each field takes.",
        {INDEX: "- {name: orders, kind: queue.queue, driver: mem, max_body: lots}\n"},
    ),
    Code(
        "R208",
        "A number is too small or too large",
        "The field has a least and a most, which the message names.",
        "Write a number between them.",
        {
            INDEX: "- {name: orders, kind: queue.queue, driver: mem}\n"
            "- {name: worker, kind: queue.consumer, queue: orders, func: process_order,"
            " concurrency: 5000}\n"
        },
    ),
    Code(
        "R209",
        "A field names an entry of another kind",
        "The entry is there, but not what the field needs: a function where a queue belongs.",
        "Name an entry of the kind in the message.",
        {
            INDEX: "- {name: orders, kind: queue.queue, driver: mem}\n"
            "- {name: worker, kind: queue.consumer, queue: orders, func: orders}\n"
        },
    ),
    Code(
        "R210",
        "A file does not return the function that is called",
        "It returns something else, a table without the function that `method` names, or several"
        " functions"
        " of which none is named.",
        "End the file with `return` and the function, or write `method: NAME`.",
        {
            INDEX: "- {name: orders, kind: function.lua, source: file://orders.lua}\n",
            "orders.lua": "return { charge = function() end, refund = function() end }\n",
        },
    ),
    Code(
        "R211",
        "A field is missing that must be there",
        "Every entry needs `name` and `kind`, a file `namespace` and `entries`, and a kind its"
        " own.",
        "Add the field.",
        {INDEX: "- {name: orders, kind: queue.queue}\n"},
    ),
    Code(
        "R212",
        "A name has characters that names do not have",
        "Names of entries, namespaces and profiles stand in ids and on command lines.",
        "Use letters, digits, `_`, `.` and `-`, and begin with a letter.",
        {INDEX: '- {name: "my orders", kind: queue.queue, driver: mem}\n'},
    ),
    Code(
        "R213",
        "A variable of the environment is not set",
        "`${env:NAME}` has no default, and NAME is not set where the project is loaded.",
        "Set it, or write a default: `${env:NAME:-value}`.",
        {INDEX: '- {name: redis, kind: queue.driver.redis, url: "${env:SHOP_REDIS}"}\n'},
    ),
    Code(
        "R214",
        "Dead letters would go to another driver",
        "A message becomes a dead letter in one step of one driver, so that it is never in both"
        " or neither.",
        "Name a queue of the same driver, or leave `dead_letter.queue` out.",
        {
            INDEX: "- {name: far, kind: queue.driver.sqlite}\n"
            "- {name: failed, kind: queue.queue, driver: far}\n"
            "- {name: orders, kind: queue.queue, driver: mem, dead_letter: {queue: failed}}\n"
        },
    ),
    Code(
        "R215",
        "Two queues have the same name at their driver",
        "They would be one queue there, and each would take the other's messages.",
        "Give one of them another `queue_name`.",
        {
            INDEX: "- {name: orders, kind: queue.queue, driver: mem, queue_name: jobs}\n"
            "- {name: mails, kind: queue.queue, driver: mem, queue_name: jobs}\n"
        },
    ),
    Code(
        "R216",
        "No policy belongs to a group",
        "A service names a group, and a group without policies allows nothing.",
        "Correct the group's name, or add it to `groups` of a `security.policy`.",
        {
            INDEX: "- name: seen\n  kind: store.memory\n"
            "  lifecycle: {security: {actor: {id: seen}, groups: [clerks]}}\n"
        },
    ),
    Code(
        "R217",
        "There is no such action",
        "A policy names an action that nothing asks for.",
        "Write one of [the actions](../who-may-do-what.md); your own stand in"
        " [`security.actions`](settings.md#moonqyaml) of `moonq.yaml`.",
        {
            INDEX: "- name: may_mail\n  kind: security.policy\n"
            "  policy: {actions: queue.publsh, resources: app:orders, effect: allow}\n"
        },
    ),
    Code(
        "R218",
        "A rule is about nothing",
        "No entry of the kinds that the actions are for has an id that fits `resources`.",
        "Correct the id; a `*` at its end stands for whatever follows.",
        {
            INDEX: "- name: may_mail\n  kind: security.policy\n"
            "  policy: {actions: queue.publish*, resources: app:mial, effect: allow}\n"
        },
    ),
    Code(
        "R219",
        "Nothing here asks for an action",
        "Policies may come from other programs of this kind; nothing in moonq asks for this"
        " action.",
        "Nothing: the rest of the policy holds.",
        {
            INDEX: "- name: may_exec\n  kind: security.policy\n"
            '  policy: {actions: exec.run, resources: "*", effect: allow}\n'
        },
    ),
    Code(
        "R221",
        "Nobody serves a queue",
        "Its messages lie in this process only, and no consumer takes them.",
        "Add a `queue.consumer` for it, unless only tests read it.",
        {INDEX: "- {name: orders, kind: queue.queue, driver: mem}\n"},
    ),
    Code(
        "R222",
        "A variable that scripts read is not set",
        "An `env.variable` has no default, and its variable is not set here: scripts get nil.",
        "Set the variable, or write `default:` below it.",
        {INDEX: "- {name: bank_url, kind: env.variable, variable: SHOP_BANK_URL}\n"},
    ),
    Code(
        "R223",
        "A service has half of the right to publish",
        "Publishing asks for two actions, `queue.publish` and `queue.publish.queue`, and the"
        " policy allows one.",
        "Write `actions: queue.publish*`.",
        {
            INDEX: "- {name: orders, kind: queue.queue, driver: mem}\n"
            "- name: worker\n  kind: queue.consumer\n  queue: orders\n  func: process_order\n"
            "  lifecycle: {security: {actor: {id: worker}, policies: [half]}}\n"
            "- name: half\n  kind: security.policy\n"
            "  policy: {actions: queue.publish, resources: app:orders, effect: allow}\n"
        },
    ),
    Code(
        "R224",
        "An actor has neither policies nor groups",
        "Where nothing says what a service may do it may do everything, or nothing in strict mode.",
        "Name its policies; `policies: []` allows nothing.",
        {
            INDEX: "- {name: orders, kind: queue.queue, driver: mem}\n"
            "- name: worker\n  kind: queue.consumer\n  queue: orders\n  func: process_order\n"
            "  lifecycle: {security: {actor: {id: worker}}}\n"
        },
    ),
    Code(
        "R225",
        "A consumer may do nothing",
        "`security.strict_mode` is on, and the consumer has no policies.",
        "Give it an actor and policies in its `lifecycle.security`.",
        {
            INDEX: "- {name: orders, kind: queue.queue, driver: mem}\n"
            "- {name: worker, kind: queue.consumer, queue: orders, func: process_order}\n",
            SETTINGS: "security: {strict_mode: true}\n",
        },
    ),
    Code(
        "R226",
        "A bare group is the one of its own namespace",
        "Another namespace has a group of the same name, which is not meant.",
        "Write the id in full where the other one is meant.",
        {
            INDEX: "- {name: orders, kind: queue.queue, driver: mem}\n"
            "- name: worker\n  kind: queue.consumer\n  queue: orders\n  func: process_order\n"
            "  lifecycle: {security: {actor: {id: worker}, groups: [clerks]}}\n"
            "- name: may_mail\n  kind: security.policy\n  groups: [clerks, old:clerks]\n"
            "  policy: {actions: queue.publish*, resources: app:orders, effect: allow}\n"
        },
    ),
    Code(
        "R227",
        "Two entries want the same file",
        "A driver, a store or moonq itself keeps its data in the file that another entry names.",
        "Give each a file of its own.",
        {
            INDEX: "- {name: file, kind: queue.driver.sqlite, path: .moonq/shop.db}\n"
            "- {name: seen, kind: store.sqlite, path: .moonq/shop.db}\n"
        },
    ),
    Code(
        "R228",
        "The schema of a queue cannot be used",
        "It is no JSON Schema of draft 2020-12, names something outside of the project, or the"
        " library behind it"
        " is not installed.",
        "Correct what the message names, or run `pip install 'moonq[schema]'`.",
        {INDEX: "- {name: orders, kind: queue.queue, driver: mem, schema: {type: orders}}\n"},
    ),
    Code(
        "R230",
        "Messages lie in a queue that nobody declares any more",
        "A queue was renamed or removed, and its messages are still at the driver.",
        "Bring them elsewhere: `moonq move OLD NEW`.",
        {
            SHOWN: "warning[R230]: 12 messages lie in app:mail at app:file, which no queue"
            " declares\n"
        },
    ),
    Code(
        "R231",
        "A driver cannot bound bytes",
        "The broker counts no bytes, so `max_bytes` could not be kept.",
        "Leave it out, or use a driver that can: SQLite, Redis, or in memory.",
        {
            INDEX: "- {name: sqs, kind: queue.driver.sqs, region: eu-central-1}\n"
            "- {name: orders, kind: queue.queue, driver: sqs, max_bytes: 1M}\n"
        },
    ),
    Code(
        "R240",
        "There is no such profile",
        "`--profile` or `MOONQ_PROFILE` names one that `moonq.yaml` does not have.",
        "Correct the name, or declare the profile in `moonq.yaml`.",
        {SHOWN: "$ moonq check --profile prd\nerror[R240]: there is no profile `prd`\n"},
    ),
    Code(
        "R241",
        "A profile changes an entry that is not there",
        "Below `entries` of a profile stands an id that no file declares; a profile adds no"
        " entries.",
        "Correct the id, in full: `app:orders`.",
        {
            INDEX: "- {name: mem, kind: queue.driver.memory}\n",
            SETTINGS: "profiles:\n  prod:\n    entries:\n      app:men: {max_length: 10}\n",
        },
    ),
    Code(
        "R242",
        "A profile makes something else of an entry",
        "Ids are the same in every profile, and an entry stays of its family: a driver instead of"
        " a driver.",
        "Leave `name` out, and write a `kind` of the same family.",
        {
            INDEX: "- {name: mem, kind: queue.driver.memory}\n",
            SETTINGS: "profiles:\n  prod:\n    entries:\n      app:mem: {kind: store.memory}\n",
        },
    ),
    Code(
        "R250",
        "A Python module has no such function",
        "`functions` names one that the file does not define.",
        "Correct the name, or define the function.",
        {
            INDEX: "- {name: bank, kind: module.python, source: file://bank.py, functions:"
            " [chrage]}\n",
            "bank.py": "def charge(order):\n    return True\n",
        },
    ),
    Code(
        "R251",
        "A name of a Python module cannot be lent",
        "Only functions are called from Lua, and only values cross: no classes, no generators.",
        "Lend a function that returns the value, or a list.",
        {
            INDEX: "- {name: bank, kind: module.python, source: file://bank.py, functions:"
            " [Card]}\n",
            "bank.py": "class Card:\n    pass\n",
        },
    ),
    Code(
        "R252",
        "Nothing says which functions of a Python module scripts may call",
        "Neither `functions` of the entry nor `__all__` of the module names any.",
        "Write `functions: [charge]`, or `__all__` in the module.",
        {
            INDEX: "- {name: bank, kind: module.python, source: file://bank.py}\n",
            "bank.py": "def charge(order):\n    return True\n",
        },
    ),
    Code(
        "R253",
        "There is no such Python module",
        "`import` names a module that is neither installed here nor in the project's folder.",
        "Install it into moonq's environment, or correct the name.",
        {INDEX: "- {name: bank, kind: module.python, import: company.bnak, functions: [charge]}\n"},
    ),
    Code(
        "R254",
        "Nobody reads the options of a Python module",
        "Options are what its function `open` gets, and the module has none.",
        "Define `def open(options)` in it, or leave `options` out.",
        {
            INDEX: "- name: bank\n  kind: module.python\n  source: file://bank.py\n"
            "  functions: [charge]\n  options: {currency: EUR}\n",
            "bank.py": "def charge(order):\n    return True\n",
        },
    ),
)
