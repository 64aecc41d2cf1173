"""prepare: confidential issue, branch with the notebook and its parameters; then merge request."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pipelines.house import House
from pipelines.steps.notices import intend, intend_notices
from requests_sync.foreign_text import title_of
from requests_sync.issue_fields import analyst_of, wanted_fields
from wardbook.domain.mirror import Side
from wardbook.domain.record import Intent, Record
from wardbook.domain.request import Request
from wardbook.domain.states import State
from wardbook.errors import Fault
from wardbook.messages import say
from wardbook.template.spec import Template


def prepare_request(house: House, record: Record) -> Record:
    """Intend everything that an analyst needs to see and to work on the request."""
    request = request_of(record)
    template = house.templates[request.template]
    target = State.PREPARED
    intents = [
        *file_issue(house, record, target),
        intend(
            record,
            target,
            "gitlab.branch",
            branch=branch_of(record.key),
            files=request_files(template, request),
            notebook=f"{folder_of(record.key)}/{template.spec.notebook}",
            message=f"Prepare {record.key} from the template {template.spec.name}",
        ),
        intend(record, target, "jira.link", "issue", what="issue", title=f"GitLab · {record.key}"),
        *intend_notices(house, record, target),
    ]
    return house.ledger.move(record, target, now=house.now(), intents=intents)


def file_issue(house: House, record: Record, target: State) -> Iterator[Intent]:
    """Intend the confidential issue, unless the request has one: then it is compared."""
    if record.links.issue is not None:
        return
    thread = house.ledger.thread(record.key, Side.JIRA)
    fields = wanted_fields(record.ticket, thread, record.key, house.settings)
    yield intend(
        record,
        target,
        "gitlab.issue",
        project=house.service(request_of(record).service).project,
        fields=fields | {"labels": [target.label, *fields["labels"]]},
        wanted_for=record.ticket.updated,
        assignee=analyst_of(record.ticket.assignee, house.settings.gitlab.people),
    )


def open_merge_request(house: House, record: Record, target: State) -> Iterator[Intent]:
    """Intend the merge request, opened once a person has something to look at."""
    if record.links.merge_request is None:
        yield intend(
            record,
            target,
            "gitlab.merge_request",
            branch=branch_of(record.key),
            title=f"{record.key} · {title_of(request_of(record).title)}",
            description=say(house.settings.unit.language, "issue.merge_request", key=record.key),
        )


def request_of(record: Record) -> Request:
    """Return the request of a record that passed the gate."""
    if record.request is None:
        raise Fault(f"{record.key} is {record.state} without a request: the ledger is damaged.")
    return record.request


def branch_of(key: str) -> str:
    """Return the name of a request's branch."""
    return f"request/{key}"


def folder_of(key: str) -> str:
    """Return the folder of a request in its service's repository."""
    return f"requests/{key}"


def request_files(template: Template, request: Request) -> dict[str, str]:
    """Return the files of the request's branch: parameters are data, never code."""
    folder = folder_of(request.key)
    about = {
        "template": template.spec.name,
        "language": request.language,
        "sources": request.sources,
    }
    return {
        f"{folder}/{template.spec.notebook}": template.notebook.read_text(encoding="utf-8"),
        f"{folder}/parameters.json": _pretty(dict(request.parameters)),
        f"{folder}/request.json": _pretty(about),
    }


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
