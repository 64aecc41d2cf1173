"""Synthetic stand-ins of data about persons, for writing and sharing notebooks without patients.

    gather_marginals   source file -> Marginals: counted tables, each judged by the disclosure rules
    draw_twin          Marginals -> rows that nobody is behind; it never sees the source
    write_twin         the rows as a file of the source's own form

Nothing but the marginals leaves the source, and they are written beside the twin as they are: what
they do not tell, the twin cannot. What that protects, and what not, is said in docs/twins.md.
"""

from __future__ import annotations

from wardbook.twin.marginals import Marginals, TooFew
from wardbook.twin.plans import find_plan, has_plan
from wardbook.twin.roles import Plan

__all__ = ["Marginals", "Plan", "TooFew", "find_plan", "has_plan"]
