"""deliver: each released output goes to its channel, sealed when sensitive."""

from __future__ import annotations

from pipelines.house import House
from pipelines.steps.notices import intend, intend_notices
from pipelines.steps.prepare import request_of
from pipelines.steps.release import released_names
from wardbook.domain.output import Channel
from wardbook.domain.record import Record
from wardbook.domain.run import RunResult
from wardbook.domain.states import State


def deliver_outputs(house: House, record: Record) -> Record:
    """Intend one delivery for the site, and one for each sealed file of the share."""
    target = State.DELIVERED
    spec = house.templates[request_of(record).template].spec
    result = RunResult.read(house.run_folder(str(record.work.run)))
    produced = {output.name for output in result.outputs} if result else set()
    released = list(released_names(record))
    intents = list(intend_notices(house, record, target))
    site = [name for name in released if spec.outputs[name].channel is Channel.SITE]
    if site:
        intents.append(intend(record, target, "site.publish", outputs=site))
    intents += [
        intend(record, target, "share.put", name, output=name)
        for name in released
        if spec.outputs[name].channel is Channel.SHARE and name in produced
    ]
    return house.ledger.move(record, target, now=house.now(), intents=intents)
