"""The unit's CI file: held to GitLab's schema, and its jobs really run with gitlab-ci-local."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from jira import JIRA
from nbformat.v4 import new_code_cell

from pipelines.demo.world import DIRECTION, World
from tests.acceptance.crash_form import chosen
from tests.browser import CHROMIUM, SWITCHES
from tests.node.ci_project import (
    UNCHECKED,
    CiProject,
    clone_project,
    copy_project,
    find_missing_programs,
    install_tools,
)
from tests.sample_report import make_run
from wardbook.epidemic.generate import generate_files
from wardbook.hospital.stays import CANARIES, generate_stays
from wardbook.pages.publish import publish_report
from wardbook.pages.serve import serve_site
from wardbook.sandbox import Sandbox

MISSING = find_missing_programs()
BRANCH_RULE = r"$CI_COMMIT_BRANCH =~ /^request\/[A-Z][A-Z0-9_]+-[0-9]+$/"
FEW = {
    "WARDBOOK_TESTS": "tests/unit/test_pages_address.py",
    "MAKEFLAGS": "VENV=.venv NPM=true",  # the panel is built where it is tried
}
COMMAND = '\'"$WARDBOOK_VENV/bin/wardbook" run "requests/${CI_COMMIT_BRANCH#request/}"'

pytestmark = [
    pytest.mark.secure("*"),  # copies of this repository, where the canaries are defined
    pytest.mark.node,
    pytest.mark.xdist_group("gitlab-ci"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="not in a virtual environment"),
]


@pytest.fixture(scope="module")
def origin(root: Path, tmp_path_factory: pytest.TempPathFactory) -> CiProject:
    install_tools()
    return copy_project(root, tmp_path_factory.mktemp("origin"))


@pytest.fixture
def project(origin: CiProject, tmp_path: Path) -> CiProject:
    return clone_project(origin, tmp_path)


# The file itself


def test_the_file_holds_to_gitlabs_schema(project: CiProject) -> None:
    seen = project.run("--preview")
    assert seen.returncode == 0, seen.stderr
    assert "json schema validated" in seen.stderr
    jobs = yaml.safe_load(seen.stdout)
    assert {"test", "tick", "run-request", "pages"} <= set(jobs)
    assert jobs["tick"]["resource_group"] and jobs["tick"]["interruptible"] is False
    assert jobs["run-request"]["artifacts"]["access"] == "developer"
    for name in ("tick", "run-request", "pages"):
        assert jobs[name]["tags"] == ["$WARDBOOK_RUNNER"]
        assert "cache" not in jobs[name]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  resource_group: wardbook\n", "  resource_gruop: wardbook\n", "resource_gruop"),
        ("    access: developer\n", "    access: everybody\n", "access"),
        ("  script:\n    - .ci/run\n", "", "test must have script"),
        ("{job: tick, optional: true,", "{job: tock,", "tock"),
        ("  stage: publish\n", "  stage: publication\n", "publication"),
    ],
)
def test_a_broken_file_is_refused(project: CiProject, old: str, new: str, told: str) -> None:
    project.replace(old, new)
    seen = project.run("--list")
    assert seen.returncode != 0
    assert told in seen.stdout + seen.stderr


# Which jobs a pipeline has

OPEN = {"CI_OPEN_MERGE_REQUESTS": "unit/wardbook!3"}
PUSH, SCHEDULE = {"CI_PIPELINE_SOURCE": "push"}, {"CI_PIPELINE_SOURCE": "schedule"}
REVIEW = {"CI_PIPELINE_SOURCE": "merge_request_event"}
UNIT = {"WARDBOOK_SETTINGS": "wardbook.toml"}
PIPELINES = {
    "main": (PUSH | UNIT, {"test", "pages"}),
    "main without settings": (PUSH, {"test"}),
    "schedule": (SCHEDULE | UNIT, {"tick", "pages"}),
    "branch": (PUSH | {"CI_COMMIT_BRANCH": "faster"}, {"test", "check-commit"}),
    "branch under review": (PUSH | OPEN | {"CI_COMMIT_BRANCH": "faster"}, set()),
    "merge request": (
        REVIEW | {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "faster"},
        {"test", "check-commit"},
    ),
    "request": (
        PUSH | OPEN | {"CI_COMMIT_BRANCH": "request/DATA-12"},
        {"run-request", "check-request"},
    ),
    "request's merge request": (
        REVIEW | {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "request/DATA-12"},
        set(),
    ),
    "request, lower case": (PUSH | {"CI_COMMIT_BRANCH": "request/data-12"}, set()),
    "request, more behind": (PUSH | {"CI_COMMIT_BRANCH": "request/DATA-12/x"}, set()),
    "request, more before": (
        PUSH | {"CI_COMMIT_BRANCH": "x/request/DATA-12"},
        {"test", "check-commit"},
    ),
}


@pytest.mark.parametrize("case", chosen([*PIPELINES], 6))
def test_each_pipeline_has_its_jobs(project: CiProject, case: str) -> None:
    variables, expected = PIPELINES[case]
    unset = ["CI_COMMIT_BRANCH"] if variables.items() >= REVIEW.items() else []
    assert list_pipeline(project, variables, unset) == expected


def test_a_services_project_that_includes_the_file_runs_its_requests(project: CiProject) -> None:
    project.git("mv", project.file.name, "unit.yml")
    project.git("rm", "-r", "--quiet", "pipelines")
    project.file.write_text("include: [{local: unit.yml}]\n")
    project.commit()
    assert project.list_jobs(PUSH) == set()
    wanted = {"run-request", "check-request"}
    assert project.list_jobs(PUSH | {"CI_COMMIT_BRANCH": "request/DATA-12"}) == wanted


def list_pipeline(project: CiProject, variables: dict[str, str], unset: list[str]) -> set[str]:
    """The jobs, or none where `workflow` allows no pipeline.

    gitlab-ci-local leaves `workflow` aside, so its rules are evaluated as those of a job more.
    """
    jobs = yaml.safe_load(project.file.read_text())
    jobs["pipeline"] = {"script": ["true"], "rules": jobs["workflow"]["rules"]}
    project.file.write_text(yaml.safe_dump(jobs))
    listed = project.list_jobs(variables, unset)
    return listed - {"pipeline"} if "pipeline" in listed else set()


# The jobs, run


def test_the_test_job_checks_and_tests(project: CiProject, root: Path) -> None:
    # What mypy learnt of the same files is used again: it would take a minute to learn it anew.
    known = {"MYPY_CACHE_DIR": str(root / ".mypy_cache")}
    done = project.run("test", UNCHECKED, variables=FEW | known)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pip install" not in done.stdout
    job = yaml.safe_load(project.file.read_text())["test"]
    report = project.folder / job["artifacts"]["reports"]["junit"]
    suite = ElementTree.parse(report).find("testsuite")
    assert suite is not None
    assert int(suite.attrib["tests"]) > 3
    assert suite.attrib["failures"] == suite.attrib["errors"] == "0"


def test_the_test_job_fails_on_a_fault_in_the_code(project: CiProject) -> None:
    (project.folder / "pipelines" / "story.py").write_text("import os\n")
    done = project.run("test", UNCHECKED, variables=FEW)
    assert done.returncode != 0
    assert "F401" in done.stdout + done.stderr


@dataclass(frozen=True)
class Unit:
    """A unit's world, with both trackers running."""

    world: World
    sandbox: Sandbox

    @property
    def variables(self) -> dict[str, str]:
        return {"WARDBOOK_SETTINGS": str(self.world.settings.resolve())}


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    world = World(tmp_path_factory.mktemp("unit"))
    data, keys = world.make_data(None), world.make_keys()
    with Sandbox(world.folder / "sandbox") as sandbox:
        sandbox.seed(world.seed())
        world.publish_key(sandbox, keys[1])
        world.write_settings(sandbox, "https://unit.pages.hospital.example", data, keys)
        sandbox.journal.clear()
        yield Unit(world, sandbox)


def test_a_tick_with_nothing_to_do_writes_nothing(project: CiProject, unit: Unit) -> None:
    unit.sandbox.journal.clear()
    done = project.run("tick", UNCHECKED, variables=SCHEDULE | unit.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {entry.server for entry in unit.sandbox.journal} >= {"jira"}
    assert unit.sandbox.journal.writes() == []


def test_a_tick_with_a_ticket_writes(project: CiProject, unit: Unit) -> None:
    client = JIRA(unit.sandbox.jira_url, token_auth=unit.world.token("cmoreau"), max_retries=0)
    kind, summary = {"name": "Demande de données"}, "Sans base légale"
    client.create_issue(
        project="DATA", issuetype=kind, summary=summary, components=[{"name": DIRECTION}]
    )
    unit.sandbox.journal.clear()
    done = project.run("tick", UNCHECKED, variables=SCHEDULE | unit.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert unit.sandbox.journal.writes("jira") != []


def test_a_tick_that_meets_a_fault_fails(project: CiProject, tmp_path: Path) -> None:
    settings = {"WARDBOOK_SETTINGS": str(tmp_path / "absent.toml")}
    done = project.run("tick", UNCHECKED, variables=SCHEDULE | settings)
    assert done.returncode != 0
    assert "absent.toml is not there" in done.stdout + done.stderr


@pytest.mark.chromium
@pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing")
def test_pages_leaves_a_site_that_opens(
    project: CiProject, unit: Unit, executed_tutorials: Path, tmp_path: Path
) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    cache = unit.world.folder / "state" / "docs"
    cache.mkdir(parents=True)
    (cache / "executed").symlink_to(executed_tutorials)
    report = make_run(tmp_path / "run").stage(unit="Unité")
    publish_report(unit.world.folder / "public", report, "data-7-sejours", "2021-01")
    done = project.run("pages", UNCHECKED, variables=PUSH | unit.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    public = project.artifacts("pages") / "public"
    hidden = {file.name for file in public.rglob(".*")}
    assert hidden <= {".htaccess"}, "the headers of an Apache that serves the same folder"
    with serve_site(public, 0) as site, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = browser.new_page()
        page.goto(site.url)
        page.get_by_role("navigation").get_by_role("link", name="Catalogue").click()
        page.get_by_role("link", name="COVID-19 à l'hôpital", exact=True).click()
        page.get_by_role("heading", name="Exemple de ticket").wait_for()
        page.get_by_role("link", name="Méthode et limites").click()
        page.get_by_role("heading", name="Moyenne sur 7 jours").wait_for()
        page.get_by_role("link", name="Accueil").first.click()
        page.get_by_role("searchbox").fill("doublement")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="COVID-19 : vitesse de l’épidémie").first.wait_for()
        page.goto(site.url)
        page.get_by_role("link", name="Séjours de janvier 2021").first.click()
        page.get_by_role("heading", name="Provenance").wait_for()
        browser.close()


def prepare_request(
    project: CiProject, template: str, parameters: dict[str, str], sources: dict[str, str]
) -> None:
    """Stand on the branch of a request as `prepare` leaves it."""
    project.switch("request/DATA-12")
    folder = project.folder / "requests" / "DATA-12"
    folder.mkdir(parents=True)
    notebook = project.folder / "templates" / template / "notebook.ipynb"
    (folder / "notebook.ipynb").write_bytes(notebook.read_bytes())
    (folder / "parameters.json").write_text(json.dumps(parameters))
    about = {"template": template, "language": "fr", "sources": sources}
    (folder / "request.json").write_text(json.dumps(about))
    project.commit()


def test_a_requests_branch_runs_and_leaves_its_public_results(
    project: CiProject, tmp_path: Path
) -> None:
    stock, flow = generate_files(tmp_path, seed=7, days=40)
    sources = {"hospital": "spf", "admissions": "spf_flux"}
    prepare_request(project, "hospital_epidemic", {"regions": "Bretagne, Corse"}, sources)
    variables = {"WARDBOOK_SOURCE_SPF": str(stock), "WARDBOOK_SOURCE_SPF_FLUX": str(flow)}
    done = project.run("run-request", UNCHECKED, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    results = project.artifacts("run-request") / "results"
    assert "Bretagne" in (results / "report" / "index.html").read_text(encoding="utf-8")
    days = (results / "france_daily.csv").read_text(encoding="utf-8").splitlines()
    assert len(days) == 1 + 40
    assert {check["verdict"] for check in read_run(results)["checks"]} == {"pass"}


STAYS = {"ward": "Maladies infectieuses", "start": "2020-12-01", "end": "2020-12-31"}


def test_of_a_sensitive_request_nothing_but_the_verdicts_becomes_an_artifact(
    project: CiProject, tmp_path: Path
) -> None:
    stays = generate_stays(tmp_path / "stays.csv", patients=60, seed=7)
    prepare_request(project, "line_list", STAYS, {"stays": "stays"})
    add_cell(project, f"open('../../outputs/{CANARIES[0]}.txt', 'w').close()")
    variables = {"WARDBOOK_SOURCE_STAYS": str(stays)}
    done = project.run("run-request", UNCHECKED, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    artifacts = project.artifacts("run-request")
    assert [file.name for file in artifacts.rglob("*") if file.is_file()] == ["run.json"]
    verdicts = {
        check["rule"]: check["verdict"] for check in read_run(artifacts / "results")["checks"]
    }
    assert verdicts == {"sensitivity": "hold", "artefact": "pass"}
    log = project.folder / ".gitlab-ci-local" / "output" / "run-request.log"
    assert find_canaries(artifacts) == [] and not holds_canary(log)
    assert read_run(artifacts / "results")["dropped"] == ["1 fichier(s)"]
    # The control: without --public-only the patients and the file's name would be there, and found.
    project.replace(" --public-only", "")
    assert project.run("run-request", UNCHECKED, variables=variables).returncode == 0
    assert {file.name for file in find_canaries(artifacts)} >= {"stays.csv", "run.json"}
    assert holds_canary(log)


def add_cell(project: CiProject, source: str) -> None:
    """Add a cell to the request's notebook, as an analyst might."""
    file = project.folder / "requests" / "DATA-12" / "notebook.ipynb"
    notebook = nbformat.read(file, as_version=4)
    notebook.cells.append(new_code_cell(source))
    nbformat.write(notebook, file)
    project.commit()


def read_run(results: Path) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = json.loads((results / "run.json").read_text())
    return found


def find_canaries(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and holds_canary(file)]


def holds_canary(file: Path) -> bool:
    return any(canary.encode() in file.read_bytes() for canary in CANARIES)


# Hostile names of branches: git allows the first three

HOSTILE = [
    "request/$(>canary)",
    "request/`>canary`",
    "request/DATA-1;>canary",
    "request/DATA-1\n$(touch canary)",
    "request/../$(touch canary)",
]


@pytest.mark.parametrize("branch", chosen(HOSTILE, 2))
def test_a_hostile_branch_does_nothing(project: CiProject, branch: str) -> None:
    variables = PUSH | stand_on(project, branch)
    assert project.list_jobs(variables) == set()
    # Were the rule not there, the quoted name would still be but a name.
    project.replace(f"if: {BRANCH_RULE}", "if: $CI_COMMIT_BRANCH")
    done = project.run("run-request", UNCHECKED, variables=variables)
    assert done.returncode != 0
    assert "is no template" in done.stdout + done.stderr
    assert find_canary_files(project) == []
    # The control: in a job that has a shell read the name again, the same name fires.
    project.replace(COMMAND, "'eval echo requests/${CI_COMMIT_BRANCH#request/}")
    project.run("run-request", UNCHECKED, variables=variables)
    assert find_canary_files(project) != []


def stand_on(project: CiProject, branch: str) -> dict[str, str]:
    """Stand on the branch where git allows its name; else say its name in GitLab's variable."""
    if any(character in branch for character in (" ", "\n", "..")):
        return {"CI_COMMIT_BRANCH": branch}
    project.switch(branch)
    return {}


def find_canary_files(project: CiProject) -> list[str]:
    return [str(file) for file in project.folder.parent.rglob("canary")]
