"""The page about `moonq.yaml`."""

from __future__ import annotations

from moonq.reference.markdown import fence, item, items, page, section
from moonq.registry.describing import fields_of
from moonq.registry.settings import Profile, Settings

_LEAD = "What `moonq.yaml` may say about a project and the places it runs at."
_ABOUT = """\
The file lies in the project's folder, and all of it is optional. What entries may say is on
[the page about entries](entries.md), limits of functions and queues included."""
EXAMPLE = """\
name: shop
log: {level: info, levels: {app.orders: debug}}
redact: [iban, card]
security: {strict_mode: true, actions: [shop.refund]}
profiles:
  prod:
    production: true
    log: {level: warn}
    entries:
      app:mem: {kind: queue.driver.sqlite, path: /var/lib/shop/queues.db}
"""
_PRODUCTION = """\
`production: true` says that real work depends on the project. Then

- consoles, programs and commands may only look at its host until they ask for more. A console
  does with `\\write`, a command asks its user, and `--yes` answers for them; without an answer
  nothing is done ([S602](errors.md#s602), exit code 6). The prompt shows a `!`: `shop!prod>`.
- the log says as a warning who changed what, which it says as information elsewhere.
- `purge` and `dead drop` want the queue's name typed, however few messages they take.
- requests over HTTP reach neither this machine nor private networks, unless an `http.client`
  names them in `allow`.

Nothing else differs: handlers, limits and guarantees are the same."""
_PROFILES = """\
A profile is chosen by `--profile NAME` or [MOONQ_PROFILE](environment.md#moonq_profile), and may
have all other keys of the file. What it says is laid over the file and over the entries as a JSON
Merge Patch (RFC 7396): maps are merged key by key, `null` takes a key away, lists and everything
else are replaced. An entry may get another `kind` of the same family, and then begins anew; none
is added, and none gets another name."""


def text() -> str:
    """Return the page."""
    own = [one for one in fields_of(Settings) if not one.path.startswith("profiles.")]
    shared = Settings.model_fields.keys()
    laid = [one for one in fields_of(Profile, without=shared) if "." not in one.path]
    return page(
        "Settings",
        _LEAD,
        _ABOUT,
        fence("yaml", EXAMPLE),
        section("moonq.yaml", items(item(one.path, one.facts, one.sentence) for one in own)),
        section("production", _PRODUCTION),
        section(
            "profiles",
            _PROFILES,
            items(item(f"profiles.NAME.{one.path}", one.facts, one.sentence) for one in laid),
        ),
    )
