"""The demonstration's hospital: people, projects, data, keys, and the settings that name them."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path

from pydantic import SecretStr

from requests_sync.create_screen import read_create_screen, write_create_section
from requests_sync.jira_port import JiraPort
from wardbook.disclosure import load_policies
from wardbook.errors import ForeignFault
from wardbook.files import write_atomically
from wardbook.report.folder import whole_folder
from wardbook.review.standing import parts_of
from wardbook.sandbox import Account, CustomField, GitLabProject, JiraProject, Sandbox, Seed
from wardbook.settings import DisclosureSettings, JiraFields, JiraSettings, JiraWorkflow
from wardbook.settings.create_link import JiraCreate
from wardbook.shipped import shipped_folder
from wardbook.template.spec import load_template

BOT, REVIEWER, ANALYST = "wardbook", "rfaure", "alopes"
APPROVER, OFFICER = "hbernard", "npetit"
DIRECTION, HYGIENE = "Direction médicale", "Hygiène hospitalière"
PEOPLE = {
    BOT: "Wardbook",
    REVIEWER: "Rémi Faure",
    ANALYST: "Ana Lopes",
    "cmoreau": "Claire Moreau",
    "yhaddad": "Yanis Haddad",
    APPROVER: "Dr Hélène Bernard",
    OFFICER: "Nadia Petit",
}
FIELDS = {
    "purpose": CustomField("customfield_10101", "Finalité", "select", ("Soins", "Recherche")),
    "legal_basis": CustomField(
        "customfield_10102",
        "Base légale",
        "select",
        ("Accord du chef de service", "MR-004", "Autorisation CNIL"),
    ),
    "reference": CustomField("customfield_10103", "Référence", "text"),
    "expires": CustomField("customfield_10104", "Échéance", "date"),
    "approver": CustomField("customfield_10105", "Approbateur", "user"),
    "template": CustomField("customfield_10106", "Modèle", "text"),
    "parameters": CustomField("customfield_10107", "Paramètres", "textarea"),
    "language": CustomField("customfield_10108", "Langue", "select", ("Français", "English")),
    "ethics": CustomField("customfield_10109", "Comité d’éthique", "text"),
    "dpo": CustomField("customfield_10110", "Délégué à la protection des données", "user"),
    "recurrence": CustomField(
        "customfield_10111",
        "Récurrence",
        "select",
        (
            "Une fois / once",
            "Quotidienne / daily",
            "Hebdomadaire / weekly",
            "Mensuelle / monthly",
            "Selon le modèle / as the template says",
        ),
    ),
}
WARD_DAYS = ("2026-02-09", "2026-03-08")
"""First and last day of the wards' exports: four weeks are enough to see a course."""
HOSPITAL_PATIENTS = 4_000
NEVER_BY_ITSELF = ("spf_coupe", "warehouse")
"""Sources that a ticket has to name where another has the same kind of data."""
PROJECTS = {DIRECTION: "unite/direction-medicale", HYGIENE: "unite/hygiene-hospitaliere"}


class World:
    """The demonstration's folder. Everything in it can be made again; nothing is made twice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "wardbook.toml"

    def token(self, username: str) -> str:
        """Return a person's token, made at first use; it opens nothing but the sandbox."""
        file = self.folder / "tokens" / username
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(file, secrets.token_urlsafe(24))
        return file.read_text(encoding="utf-8")

    def seed(self) -> Seed:
        """Return who and what the two trackers know at the beginning."""
        levels = {BOT: 40, REVIEWER: 40, ANALYST: 30, OFFICER: 30}
        return Seed(
            accounts=[
                Account(username, name, f"{username}@hopital.example", self.token(username))
                for username, name in PEOPLE.items()
            ],
            jira_projects=[
                JiraProject(
                    "DATA",
                    "Demandes de données",
                    ["Demande de données"],
                    [DIRECTION, HYGIENE],
                    list(FIELDS.values()),
                )
            ],
            gitlab_projects=[GitLabProject(path, levels) for path in PROJECTS.values()],
        )

    def make_data(self, given: Path | None) -> dict[str, Path]:
        """Return the data sources by name: SpF's real files where they are at hand, else generated.

        Args:
            given: a folder with SpF's hospital files in their own format, or None.
        """
        from wardbook.activity.synthetic import write_wards
        from wardbook.epidemic.generate import FLOW_FILE, STOCK_FILE, generate_files
        from wardbook.hospital.building import build_hospital
        from wardbook.hospital.stays import generate_stays

        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        stays = data / "stays.csv"
        if not stays.exists():
            generate_stays(stays, patients=2000, seed=2026)
        wards = data / "wards"
        if not wards.exists():
            with whole_folder(wards) as part:
                write_wards(part, seed=2026, days=28)
        stock = _find(given, "hosp_donnees-hospitalieres-covid19*.csv")
        flow = _find(given, "hosp_nouveaux*.csv")
        hospital = data / "hospital"
        if not hospital.exists():
            with whole_folder(hospital) as part:
                build_hospital(part, patients=HOSPITAL_PATIENTS, seed=2026, parts=("tubes",))
        if stock is None or flow is None:
            stock, flow = data / STOCK_FILE, data / FLOW_FILE
            if not flow.exists():  # it is written last
                generate_files(data, seed=2026)
        broken = data / "spf_coupe.csv"
        if not broken.exists():
            # A download that broke off in the middle of a line.
            content = stock.read_bytes()
            write_atomically(broken, content[: content.index(b"\n", len(content) // 3) + 12])
        return {
            "stays": stays,
            "spf": stock,
            "spf_flux": flow,
            "spf_coupe": broken,
            "wards_stays": wards / "stays.csv",
            "wards_beds": wards / "beds.csv",
            "wards_emergency": wards / "emergency.csv",
            "warehouse": hospital / "hospital.duckdb",
        }

    def make_keys(self) -> tuple[str, str]:
        """Return the fingerprints of the unit's key and of the requester's, made at first use."""
        from wardbook.seal import Keyring

        made = []
        for owner, name in (
            ("state/gnupg", "Unité de démonstration"),
            ("people/yhaddad", "Yanis Haddad"),
        ):
            note = self.folder / owner.replace("/", "-")
            if not note.exists():
                home = self.folder / owner
                home.mkdir(parents=True, exist_ok=True, mode=0o700)
                with Keyring(home) as keyring:
                    known = keyring.facts()
                    fingerprint = (
                        known[0].fingerprint
                        if known
                        else keyring.create_signing_key(name, "demo@hopital.example")
                    )
                write_atomically(note, str(fingerprint))
            made.append(note.read_text(encoding="utf-8"))
        return made[0], made[1]

    def publish_key(self, sandbox: Sandbox, fingerprint: str) -> None:
        """Put the requester's public key into GitLab's directory, as that person would."""
        import gitlab

        from wardbook.seal import Fingerprint, Keyring

        client = gitlab.Gitlab(sandbox.gitlab_url, private_token=self.token("yhaddad"), timeout=30)
        client.auth()
        user = client.user
        if user is None or list(user.gpgkeys.list(iterator=True)):
            return
        with Keyring(self.folder / "people" / "yhaddad") as keyring:
            user.gpgkeys.create({"key": keyring.export_public(Fingerprint(fingerprint))})

    def read_create_screen(self, sandbox: Sandbox) -> JiraCreate | None:
        """Return the ids of the sandbox's create screen, which shows days as YYYY-MM-DD.

        None where it has no project of the demonstration's, or one without its fields.
        """
        fields = JiraFields(**{name: field.id for name, field in FIELDS.items()})
        workflow = JiraWorkflow(working="", waiting="", done="", resolution="")
        token = SecretStr(self.token(BOT))
        settings = JiraSettings(
            url=sandbox.jira_url, project="DATA", token=token, fields=fields, workflow=workflow
        )
        try:
            found = read_create_screen(JiraPort(settings), fields)
        except ForeignFault as fault:
            if fault.status != HTTPStatus.NOT_FOUND:
                raise
            return None
        return found and found.model_copy(update={"iso_days": True})

    def write_settings(
        self, sandbox: Sandbox, site_url: str, data: dict[str, Path], keys: tuple[str, str]
    ) -> None:
        """Write the settings, as a unit would."""
        template = load_template(shipped_folder("templates") / "hospital_epidemic")
        policy = load_policies(shipped_folder("policies"))[DisclosureSettings().policy]
        sources = {"hospital": "spf", "admissions": "spf_flux"}
        parts = parts_of(template, [str(policy.reference)], {}, sources)
        kinds = {
            "stays": ("hospital-stays", "sensitive"),
            "spf": ("spf-hospital", "public"),
            "spf_flux": ("spf-admissions", "public"),
            "spf_coupe": ("spf-hospital", "public"),
            "wards_stays": ("ward-stays", "sensitive"),
            "wards_beds": ("ward-beds", "internal"),
            "wards_emergency": ("emergency-visits", "sensitive"),
            "warehouse": ("omop", "sensitive"),
        }
        screen = self.read_create_screen(sandbox)
        lines = [
            'ledger = "sqlite:///state/ledger.db"',
            "[unit]",
            'name = "Unité d\'analyse des données"',
            f'data_protection_officers = ["{OFFICER}"]',
            "[jira]",
            f'url = "{sandbox.jira_url}"',
            'project = "DATA"',
            f'token_file = "tokens/{BOT}"',
            "[jira.fields]",
            *(f'{name} = "{field.id}"' for name, field in FIELDS.items()),
            *([write_create_section(screen)] if screen else []),
            "[jira.workflow]",
            'working = "En cours"',
            'waiting = "En attente du demandeur"',
            'done = "Résolu"',
            'resolution = "Terminé"',
            'todo = "À traiter"',
            'dropped = "Ne sera pas traité"',
            "[gitlab]",
            f'url = "{sandbox.gitlab_url}"',
            f'token_file = "tokens/{BOT}"',
        ]
        for service, project in PROJECTS.items():
            lines += [
                f'[services."{service}"]',
                f'project = "{project}"',
                f'approvers = ["{APPROVER}"]',
                f'reviewers = ["{REVIEWER}"]',
            ]
        lines.append("[people]")
        lines += [f'{account} = "{PEOPLE[account]}"' for account in (APPROVER, OFFICER)]
        for name, path in data.items():
            kind, sensitivity = kinds[name]
            lines += [
                f"[sources.{name}]",
                f'kind = "{kind}"',
                f'address = "duckdb://{path.resolve()}"'
                if kind == "omop"
                else f'path = "{path.resolve()}"',
                f'sensitivity = "{sensitivity}"',
                f"default = {'false' if name in NEVER_BY_ITSELF else 'true'}",
            ]
            if name == "stays":
                lines.append('names = { surnames = ["name"], first_names = ["first_name"] }')
        lines += [
            "[site]",
            'folder = "public"',
            f'url = "{site_url}"',
            "[share]",
            'folder = "share"',
            f'url = "{(self.folder / "share").resolve().as_uri()}"',
            "[seal]",
            'home = "state/gnupg"',
            f'signer = "{keys[0]}"',
            "[seal.recipients]",
            f'yhaddad = "{keys[1]}"',
            "[standing_approvals.hospital_epidemic]",
            f'reviewers = ["{REVIEWER}"]',
            f"until = {date.today() + timedelta(days=365)}",  # noqa: DTZ011
            *(f'{name} = "{digest}"' for name, digest in asdict(parts).items()),
        ]
        write_atomically(self.settings, "\n".join(lines) + "\n")


def find_real_data() -> Path | None:
    """Return the folder of SpF's real files beside the project, if it is there."""
    folder = Path.cwd().parent / "shared" / "data" / "spf"
    return folder if folder.is_dir() else None


def _find(folder: Path | None, pattern: str) -> Path | None:
    if folder is None:
        return None
    return next(iter(sorted(folder.glob(pattern))), None)
