"""Disclosure control: what may be said of patients, judged on the files that would leave."""

from wardbook.disclosure.checks import check_outputs, find_undeclared, tell_dropped, tell_reason
from wardbook.disclosure.policy import Policy, choose_policy, load_policies, load_policy

__all__ = [
    "Policy",
    "check_outputs",
    "choose_policy",
    "find_undeclared",
    "load_policies",
    "load_policy",
    "tell_dropped",
    "tell_reason",
]
