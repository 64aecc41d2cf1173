"""Parameters that a recurring run takes from its period.

A template declares `from_period` on a parameter: a date takes `first_day` or `last_day`, a text
takes `start` or `end` (ISO 8601, to the minute, with the offset of the schedule's zone). They tell
of the span that ended when the period began: a weekly report of Monday is about the week before.
What a requester writes wins; in a request that runs once they are parameters like others.
"""

from __future__ import annotations

from wardbook.domain.periods import Span
from wardbook.template.spec import TemplateSpec


def read_period(spec: TemplateSpec, span: Span) -> dict[str, str]:
    """Return the text of each parameter that is taken from the period, by name."""
    texts = {
        "first_day": span.first_day.isoformat(),
        "last_day": span.last_day.isoformat(),
        "start": span.start.isoformat(timespec="minutes"),
        "end": span.end.isoformat(timespec="minutes"),
    }
    return {
        name: texts[parameter.from_period]
        for name, parameter in spec.parameters.items()
        if parameter.from_period
    }


def example_period(spec: TemplateSpec) -> dict[str, str]:
    """Return an example of each parameter that is taken from the period, by name."""
    return {name: one.example for name, one in spec.parameters.items() if one.from_period}
