"""The seven tickets of the demonstration, filed as their requesters would file them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pipelines.demo.world import (
    APPROVER,
    DIRECTION,
    FIELDS,
    HYGIENE,
    OFFICER,
    WARD_DAYS,
    World,
)
from wardbook.sandbox import Sandbox

HOSTILE = (
    "/close\n/label ~evil\n<script>document.title='fired'</script> ${HOME} $(touch /tmp/owned) "
    "`id` ../../etc/passwd {{7*7}} {code}@all {code} [~admin] '; DROP TABLE requests;--"
    "\r\n/confidential"
)


@dataclass(frozen=True)
class DemoTicket:
    """One ticket to file; `label` makes it recognisable, so that it is filed once a round."""

    label: str
    reporter: str
    component: str
    summary: str
    description: str
    fields: Mapping[str, str]
    parameters: str = ""
    labels: tuple[str, ...] = ()


def care_fields(template: str, **changes: str) -> dict[str, str]:
    """Return the fields of a ticket for care that the gate accepts, with changes."""
    expires = (date.today() + timedelta(days=365)).isoformat()  # noqa: DTZ011
    basis = {
        "purpose": "Soins",
        "legal_basis": "Accord du chef de service",
        "reference": "NOTE-2026-014",
        "expires": expires,
        "approver": APPROVER,
        "template": template,
        "language": "Français",
    }
    return basis | changes


def demo_tickets() -> tuple[DemoTicket, ...]:
    """Return the seven: report, sealed list, refusal, failure, hostile text, metrics, warehouse."""
    return (
        DemoTicket(
            "report",
            "cmoreau",
            DIRECTION,
            "Situation hospitalière COVID-19",
            "Pour la cellule de crise : où en sont les hospitalisations, et où augmentent-elles ?",
            care_fields("hospital_epidemic"),
        ),
        DemoTicket(
            "line-list",
            "yhaddad",
            HYGIENE,
            "Séjours en maladies infectieuses, décembre",
            "Recherche de cas contacts par l’équipe opérationnelle d’hygiène.",
            care_fields("line_list", reference="EOH-2026-031"),
            "ward = Maladies infectieuses\nstart = 2020-12-01\nend = 2020-12-31",
        ),
        DemoTicket(
            "no-basis",
            "cmoreau",
            DIRECTION,
            "Hospitalisations en Île-de-France",
            "Pour un article.",
            care_fields("hospital_epidemic", purpose="Recherche", legal_basis="", reference=""),
            "regions = Île-de-France",
        ),
        DemoTicket(
            "broken-data",
            "cmoreau",
            DIRECTION,
            "Situation hospitalière, fichier de ce matin",
            "Suivi hebdomadaire, avec le fichier reçu ce matin.",
            care_fields(
                "hospital_epidemic",
                purpose="Recherche",
                legal_basis="MR-004",
                reference="F20260114093012",
                ethics="CER-2026-031",
                dpo=OFFICER,
                recurrence="Hebdomadaire / weekly",
            ),
            "source.hospital = spf_coupe",
        ),
        DemoTicket(
            "hostile",
            "cmoreau",
            DIRECTION,
            "<script>document.title='fired'</script> ${HOME} ../../etc/passwd /close",
            HOSTILE,
            care_fields("hospital_epidemic", reference=HOSTILE.replace("\n", " ")[:200]),
            f"# {HOSTILE.splitlines()[0]} {HOSTILE.splitlines()[2]}\n"
            "regions = Bretagne, Corse\nend = 2020-12-31",
            ("../../etc", "<script>x</script>"),
        ),
        DemoTicket(
            "wards",
            "cmoreau",
            DIRECTION,
            "Occupation des services et flux des urgences, février",
            "Pour la réunion des cadres : où manque-t-il des lits, qui attend aux urgences ?",
            care_fields("ward_activity"),
            f"start = {WARD_DAYS[0]}\nend = {WARD_DAYS[1]}",
        ),
        DemoTicket(
            "tubes",
            "yhaddad",
            HYGIENE,
            "D’où viennent les tubes hémolysés ?",
            "Le laboratoire en rejette trop : est-ce le service, le prélèvement, le transport ?",
            care_fields("haemolysis_origin", reference="LAB-2026-007"),
            "start = 2024-01-01\nend = 2025-10-31",
        ),
    )


def file_tickets(sandbox: Sandbox, world: World, round_number: int) -> list[str]:
    """File the round's tickets that are not there yet; returns the keys of all, in order."""
    from jira import JIRA

    keys = []
    for ticket in demo_tickets():
        client = JIRA(
            server=sandbox.jira_url,
            token_auth=world.token(ticket.reporter),
            max_retries=0,
            timeout=(5, 30),
        )
        label = f"demo-{round_number}-{ticket.label}"
        found = client.search_issues(f'project = "DATA" AND labels = "{label}"', maxResults=1)
        issue = found[0] if found else client.create_issue(fields=fields_of(ticket, label))
        keys.append(str(issue.key))
    return keys


def fields_of(ticket: DemoTicket, label: str) -> dict[str, Any]:
    """Return a ticket's fields in the form of Jira's REST API."""
    fields: dict[str, Any] = {
        "project": {"key": "DATA"},
        "issuetype": {"name": "Demande de données"},
        "summary": ticket.summary,
        "description": ticket.description,
        "components": [{"name": ticket.component}],
        "labels": [label, *ticket.labels],
        FIELDS["parameters"].id: ticket.parameters,
    }
    for name, text in ticket.fields.items():
        field = FIELDS[name]
        if text:
            forms = {"select": {"value": text}, "user": {"name": text}}
            fields[field.id] = forms.get(field.type, text)
    return fields
