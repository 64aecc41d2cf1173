"""A desk with hands on both trackers: tickets that pass the gate, and nothing is run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gitlab
from jira import JIRA

from pipelines.demo.world import ANALYST, BOT, DIRECTION, FIELDS, PROJECTS, World
from pipelines.house import House
from pipelines.story import Pass, sync
from wardbook.domain.record import Record
from wardbook.sandbox import JiraProject, Sandbox
from wardbook.sandbox.jira.beans import cloud_id
from wardbook.sandbox.seed import Flavour
from wardbook.settings import Settings, load_settings

GIVEN = {
    "purpose": {"value": "Soins"},
    "legal_basis": {"value": "Accord du chef de service"},
    "reference": "NOTE-2026-014",
    "expires": "2099-12-31",
    "template": "hospital_epidemic",
}


class Desk:
    """One unit between the two trackers of a sandbox."""

    def __init__(self, world: World, sandbox: Sandbox, settings: Settings) -> None:
        self.world, self.sandbox, self.settings = world, sandbox, settings
        self.ahead = timedelta()
        self.house = House(settings, now=lambda: datetime.now(UTC) + self.ahead)

    # --- people --------------------------------------------------------------------------------

    def jira(self, person: str = "cmoreau") -> Any:
        token = self.world.token(person)
        cloud = self.settings.jira.account is not None
        return JIRA(
            server=self.sandbox.jira_url,
            token_auth=None if cloud else token,
            basic_auth=(f"{person}@hopital.example", token) if cloud else None,
            max_retries=0,
            timeout=30,
        )

    def person(self, username: str) -> dict[str, str]:
        """How this Jira names somebody in a field."""
        cloud = self.settings.jira.account is not None
        return {"accountId": self.account_id(username)} if cloud else {"name": username}

    def account_id(self, username: str) -> str:
        with self.sandbox.store.transaction(write=False) as records:
            return cloud_id(records.find("account", username) or {})

    def file(self, **fields: Any) -> str:
        given = {FIELDS[name].id: value for name, value in GIVEN.items()}
        given[FIELDS["approver"].id] = self.person("hbernard")
        project = self.settings.jira.project
        issue = {
            "project": {"key": project},
            "issuetype": {"name": "Demande de données"},
            "summary": "Petite question",
            "components": [{"name": DIRECTION}],
        }
        return str(self.jira().create_issue(fields=issue | given | fields).key)

    def project(self, person: str = ANALYST, service: str = DIRECTION) -> Any:
        client = gitlab.Gitlab(
            self.sandbox.gitlab_url, private_token=self.world.token(person), timeout=30
        )
        return client.projects.get(PROJECTS[service])

    def issue(self, key: str, person: str = ANALYST) -> Any:
        return self.project(person).issues.get(self.record(key).links.issue)

    # --- passes --------------------------------------------------------------------------------

    def try_sync(self) -> Pass:
        return sync(self.house)

    def sync(self) -> None:
        outcome = self.try_sync()
        assert outcome.faults == {}

    def quiet(self) -> None:
        """Two passes: the second takes in what the first has written, the third writes nothing."""
        self.sync()
        self.sync()
        before = len(self.writes())
        self.sync()
        written = [(one.method, one.path) for one in self.writes()[before:]]
        assert written == []

    def later(self, **time: float) -> None:
        """Let our clock go on."""
        self.ahead += timedelta(**time)

    def lose_ledger(self) -> None:
        self.house.ledger.close()
        for file in self.settings.unit.state.glob("ledger.db*"):
            if file.is_file():
                file.unlink()
        self.house = House(self.settings, now=self.house.now)

    # --- what is there -------------------------------------------------------------------------

    def record(self, key: str) -> Record:
        record = self.house.ledger.record(key)
        assert record is not None
        return record

    def writes(self) -> list[Any]:
        """What the platform's own account has changed."""
        return [entry for entry in self.sandbox.journal.writes() if entry.account == BOT]

    def notes(self, key: str) -> list[str]:
        """Our own notes on the issue that copy something."""
        return [
            note.body
            for note in self.issue(key, BOT).notes.list(iterator=True, sort="asc", per_page=100)
            if not note.system and note.author["username"] == BOT and "wardbook:" in note.body
        ]

    def copies(self, key: str) -> list[str]:
        """Our own comments on the ticket that copy something."""
        comments = self.house.jira.comments(key)
        return [one["body"] for one in comments if "{anchor:wardbook-note" in one["body"]]


@contextmanager
def open_desk(
    folder: Path, flavour: Flavour = "server", *, service_desk: bool = False, **options: Any
) -> Iterator[Desk]:
    """Found a unit in a folder, its trackers served by this process."""
    world = World(folder)
    seed = world.seed()
    (project,) = seed.jira_projects
    tickets = JiraProject(
        project.key,
        project.name,
        project.issue_types,
        project.components,
        project.custom_fields,
        service_desk=service_desk,
    )
    sandbox = Sandbox(folder / "sandbox", flavour=flavour, **options)
    sandbox.seed(type(seed)(seed.accounts, [tickets], seed.gitlab_projects))
    with sandbox:
        data = {name: folder / name for name in ("spf", "spf_flux")}  # never opened
        world.write_settings(sandbox, "http://site.invalid", data, ("0" * 40, "0" * 40))
        text = world.settings.read_text(encoding="utf-8")
        if flavour == "cloud":
            text = text.replace("[jira]\n", f'[jira]\naccount = "{BOT}@hopital.example"\n')
        world.settings.write_text(text, encoding="utf-8")
        desk = Desk(world, sandbox, load_settings(world.settings, {}))
        if flavour == "cloud":
            desk.settings = on_cloud(desk)
            desk.house = House(desk.settings, now=desk.house.now)
        with desk.house:
            yield desk


def on_cloud(desk: Desk) -> Settings:
    """Name people by the ids that Cloud has for them."""
    settings = desk.settings
    services = {
        name: service.model_copy(update={"approvers": (desk.account_id("hbernard"),)})
        for name, service in settings.services.items()
    }
    people = {desk.account_id(name): name for name in ("cmoreau", "rfaure", ANALYST)}
    return settings.model_copy(
        update={
            "services": services,
            "gitlab": settings.gitlab.model_copy(update={"people": people}),
        }
    )
