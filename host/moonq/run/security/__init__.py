"""Who may do what: actors, policies, and the scopes that hold policies together.

    actor, scope = policies.rights(entry)                    # what `lifecycle.security` says
    scope.evaluate(actor, "queue.info", "app:payments")      # "allow", "deny" or "undefined"
    scope.with_(policy).decide(actor, "queue.info", "app:payments").policy   # who decided

* actions    every action there is, its spellings, what it is done with
* actor      in whose name something is done
* patterns   what actions and resources of a policy fit
* condition  a fact of the case, and what it is held to
* policy     one rule
* scope      several policies, and what they decide together
* gate       the words of a denial
* held       what a script holds of all that
* policies   those of a project: what `lifecycle.security` means
"""

from moonq.run.security.actor import OPERATOR, Actor
from moonq.run.security.gate import ALLOWED, DENIED, refusal
from moonq.run.security.held import Held
from moonq.run.security.policies import Policies
from moonq.run.security.policy import ALLOW, EVERYTHING, Effect, Policy, Rule
from moonq.run.security.scope import NOTHING, Decision, Rights, Scope

__all__ = [
    "ALLOW",
    "ALLOWED",
    "DENIED",
    "EVERYTHING",
    "NOTHING",
    "OPERATOR",
    "Actor",
    "Decision",
    "Effect",
    "Held",
    "Policies",
    "Policy",
    "Rights",
    "Rule",
    "Scope",
    "refusal",
]
