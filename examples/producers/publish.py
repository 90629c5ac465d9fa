"""Publishes one message over a host's socket: python publish.py PROJECT QUEUE JSON."""

import json
import socket
import sys
from pathlib import Path

project, queue, body = sys.argv[1:]
host = json.loads(Path(project, ".moonq/run/host.json").read_text())
connection = socket.socket(socket.AF_UNIX)
connection.connect(host["socket"])
with connection, connection.makefile("rw", encoding="utf-8") as lines:
    lines.readline()  # the host says hello
    message = {"json": body, "headers": {"source": "python"}, "options": {"delay": "100ms"}}
    request = {"kind": "publish", "id": 1, "queue": queue, "messages": [message]}
    print(json.dumps(request), file=lines, flush=True)
    answer = json.loads(lines.readline())
found = answer["value"]["answers"][0] if answer["kind"] == "result" else answer
print(found["id"] if "error" not in found else sys.exit(found["error"]["message"]))
