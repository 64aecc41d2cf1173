"""Disclosure control: what may be said of patients, judged on the files that would leave."""

from wardbook.disclosure.checks import check_outputs, find_undeclared, tell_dropped

__all__ = ["check_outputs", "find_undeclared", "tell_dropped"]
