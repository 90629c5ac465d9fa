"""What a call shows that a policy refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem}
  - {name: payments, kind: queue.queue, driver: mem}
  - {name: report, kind: function.lua, source: file://report.lua, modules: [queue]}
  - name: worker
    kind: queue.consumer
    queue: orders
    func: report
    lifecycle: {security: {actor: {id: "service:report"}, policies: [sends]}}
  - name: sends
    kind: security.policy
    policy: {actions: [queue.publish, queue.publish.queue], resources: [orders], effect: allow}
"""
REPORT = """\
local queue = require("queue")
return function(order)
  local id, err = queue.publish("app:payments", order)
  return id, err
end
"""


def test_it_shows_the_line_and_the_policy_to_change(
    moonq: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "_index.yaml").write_text(INDEX, encoding="utf-8")
    (tmp_path / "report.lua").write_text(REPORT, encoding="utf-8")
    said = moonq("call", "-C", tmp_path, "report", "{}", "--as-message")
    assert said.code == 1
    assert "error[S601]: service:report may not queue.publish app:payments" in said.err
    assert "report.lua:3" in said.err
    assert "^ no policy allows it" in said.err
    assert "help: add app:payments to the resources of app:sends (_index.yaml:14)" in said.err
    assert "moonq explain S601" in said.err
