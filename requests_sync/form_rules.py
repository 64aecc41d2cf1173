"""The gate's own rules, handed to the requesters' form so that it judges by the same ones."""

from __future__ import annotations

from requests_sync.gate import MOST_COLLEAGUES
from requests_sync.legal import (
    BASIS_EXAMPLES,
    ETHICS,
    LEGAL_BASES,
    LONGEST,
    PURPOSE_EXAMPLE,
    PURPOSES,
    expected_reference,
)
from requests_sync.recurrence import AS_TEMPLATE, CRON_EXAMPLE, RECURRENCES, WORDS_EXAMPLE
from wardbook.form.rules import GateRules, ReferenceRule


def gate_rules() -> GateRules:
    """Return what the gate asks of every ticket, whatever its template."""
    expected = {
        basis: expected_reference(purpose, basis)
        for purpose, bases in LEGAL_BASES.items()
        for basis in bases.values()
    }
    expected |= {"": expected_reference("research", ""), "ethics": ETHICS}
    return GateRules(
        purposes=PURPOSES,
        legal_bases=LEGAL_BASES,
        references={name: ReferenceRule(one.form, one.example) for name, one in expected.items()},
        recurrences=RECURRENCES,
        as_template=AS_TEMPLATE,
        longest_reference=LONGEST,
        most_colleagues=MOST_COLLEAGUES,
        examples={
            "purpose": PURPOSE_EXAMPLE,
            "basis_care": BASIS_EXAMPLES["care"],
            "basis_research": BASIS_EXAMPLES["research"],
            "basis": BASIS_EXAMPLES[None],
            "recurrences": WORDS_EXAMPLE,
            "cron": CRON_EXAMPLE,
        },
    )
