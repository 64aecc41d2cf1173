"""prepare: confidential issue, branch with the notebook and its parameters, merge request."""

from __future__ import annotations

import json

from pipelines.house import House
from pipelines.steps.notices import intend, intend_notices
from requests_sync.foreign_text import drop_controls, quote_for_gitlab, title_of
from requests_sync.gate import shown_parameters
from wardbook.domain.record import Record
from wardbook.domain.request import Request
from wardbook.domain.states import State
from wardbook.domain.ticket import Person
from wardbook.errors import Fault
from wardbook.messages import say
from wardbook.template.spec import Template


def prepare_request(house: House, record: Record) -> Record:
    """Intend everything that an analyst needs to see and to work on the request."""
    request = request_of(record)
    template = house.templates[request.template]
    language = house.settings.unit.language
    mark = f"<!-- wardbook:request:{record.key} -->"
    branch = branch_of(record.key)
    target = State.PREPARED
    title = f"{record.key} · {title_of(request.title)}"
    description = say(
        language,
        "issue.description",
        question=quote_for_gitlab(request.question or request.title),
        requester=inline_code(tell_person(record.ticket.reporter)),
        service=request.service,
        purpose=say(language, f"issue.purpose_{request.purpose}"),
        basis=inline_code(f"{record.ticket.legal_basis} · {request.reference}"),
        expires=request.expires,
        approver=inline_code(tell_person(request.approver)),
        ethics=inline_code(request.ethics) if request.ethics else "—",
        dpo=inline_code(tell_person(request.dpo)) if request.dpo else "—",
        every=say(language, f"issue.every_{request.every}"),
        template=template.spec.name,
        parameters=quote_for_gitlab(shown_parameters(request) or "—"),
        folder=folder_of(record.key),
        mark=mark,
    )
    labels = [target.label, f"template::{template.spec.name}", f"purpose::{request.purpose}"]
    intents = [
        intend(
            record,
            target,
            "gitlab.issue",
            project=house.service(request.service).project,
            title=title,
            description=description,
            labels=labels,
            mark=mark,
        ),
        intend(
            record,
            target,
            "gitlab.branch",
            branch=branch,
            files=request_files(template, request),
            notebook=f"{folder_of(record.key)}/{template.spec.notebook}",
            message=f"Prepare {record.key} from the template {template.spec.name}",
        ),
        intend(
            record,
            target,
            "gitlab.merge_request",
            branch=branch,
            title=title,
            description=say(language, "issue.merge_request", key=record.key),
        ),
        intend(record, target, "jira.link", "issue", what="issue", title=f"GitLab · {record.key}"),
        *intend_notices(house, record, target),
    ]
    return house.ledger.move(record, target, now=house.now(), intents=intents)


def request_of(record: Record) -> Request:
    """Return the request of a record that passed the gate."""
    if record.request is None:
        raise Fault(f"{record.key} is {record.state} without a request: the ledger is damaged.")
    return record.request


def tell_person(person: Person) -> str:
    """Return a person as an analyst needs them: name and account."""
    return f"{person.name} ({person.username})"


def branch_of(key: str) -> str:
    """Return the name of a request's branch."""
    return f"request/{key}"


def folder_of(key: str) -> str:
    """Return the folder of a request in its service's repository."""
    return f"requests/{key}"


def inline_code(text: str) -> str:
    """Return foreign text as one line of code in Markdown, which it cannot close, nor a table."""
    line = " ".join(drop_controls(text).replace("`", "'").replace("|", "\\|").split())
    return f"`{line or ' '}`"


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
