"""The imitation of Grafana, asked by grafana-client, holds to Grafana's own OpenAPI."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaUnauthorizedError

from tests.contract.contracts import Broken, check
from tests.metric_template import write_metric_template
from wardbook.dashboards.alerts import build_rules
from wardbook.dashboards.board import Board
from wardbook.dashboards.declared import declared_board
from wardbook.dashboards.grafana import build_dashboard
from wardbook.sandbox.grafana import GrafanaSandbox
from wardbook.sandbox.grafana.server import EDITOR, VIEWER
from wardbook.template.spec import load_template

pytestmark = pytest.mark.shared_data
OPENAPI = "contracts/grafana/vapopov+grafana-openapi-client-go/api-merged.json"
SOURCE = "wardbook-metrics"


@cache
def openapi(shared: Path) -> Any:
    """Return the OpenAPI with what its generator got wrong set right.

    Go's types that write themselves are described by their insides: a list of panels and of links
    as an object, a duration (`"0s"`) as a number.
    """
    document = json.loads((shared / OPENAPI).read_text(encoding="utf-8"))
    dashboard = document["definitions"]["Dashboard"]["properties"]
    dashboard["panels"] = dashboard["links"] = {"type": "array"}
    rule = document["definitions"]["ProvisionedAlertRule"]["properties"]
    rule["for"] = {"type": "string"}
    rule["uid"]["pattern"] = "^[a-zA-Z0-9_-]+$"  # theirs is not of a dialect that Python has
    return document


def hold(shared: Path, method: str, path: str, status: int, answer: object) -> None:
    """Check an answer against the contract's answer to a call."""
    document = openapi(shared)
    told = document["paths"][path][method]["responses"][str(status)]
    if "$ref" in told:
        told = document["responses"][told["$ref"].rpartition("/")[2]]
    held = {**told["schema"], "definitions": document["definitions"]}
    check(jsonschema.Draft4Validator(held), answer)
    known = properties_of(document, told["schema"])
    if known and isinstance(answer, dict) and (unknown := set(answer) - known):
        raise Broken(f"{path}: unknown {sorted(unknown)}")


def properties_of(document: Any, told: Any) -> set[str]:
    if "$ref" in told:
        told = document["definitions"][told["$ref"].rpartition("/")[2]]
    return set(told.get("properties", {}))


@pytest.fixture
def grafana(tmp_path: Path) -> Iterator[GrafanaSandbox]:
    with GrafanaSandbox(tmp_path / "grafana") as grafana:
        grafana.add_datasource(SOURCE)
        yield grafana


@pytest.fixture
def api(grafana: GrafanaSandbox) -> GrafanaApi:
    return GrafanaApi.from_url(f"{grafana.url}/", credential=EDITOR)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return declared_board(load_template(write_metric_template(tmp_path)).spec, "fr")


def test_health_names_a_version(api: GrafanaApi) -> None:
    # The collected OpenAPI leaves this call out.
    assert set(api.health.check()) == {"commit", "database", "version"}


def test_folders(shared: Path, api: GrafanaApi) -> None:
    with pytest.raises(GrafanaClientError) as missing:
        api.folder.get_folder("wardbook")
    hold(shared, "get", "/folders/{folder_uid}", 404, missing.value.response)
    hold(shared, "post", "/folders", 200, api.folder.create_folder("Wardbook", "wardbook"))
    hold(shared, "get", "/folders/{folder_uid}", 200, api.folder.get_folder("wardbook"))
    hold(shared, "get", "/folders", 200, api.folder.get_all_folders())
    with pytest.raises(GrafanaClientError) as twice:
        api.folder.create_folder("Wardbook", "wardbook")
    assert twice.value.status_code == 409
    hold(shared, "post", "/folders", 409, twice.value.response)


def test_data_sources(shared: Path, api: GrafanaApi) -> None:
    hold(shared, "get", "/datasources", 200, api.datasource.list_datasources())
    found = api.datasource.get_datasource_by_uid(SOURCE)
    hold(shared, "get", "/datasources/uid/{uid}", 200, found)
    with pytest.raises(GrafanaClientError) as missing:
        api.datasource.get_datasource_by_uid("other")
    hold(shared, "get", "/datasources/uid/{uid}", 404, missing.value.response)


def test_dashboards(shared: Path, api: GrafanaApi, board: Board) -> None:
    api.folder.create_folder("Wardbook", "wardbook")
    built = build_dashboard(board, SOURCE, "Europe/Paris")
    sent = {"dashboard": built, "folderUid": "wardbook", "overwrite": False}
    saved = api.dashboard.update_dashboard(sent)
    assert saved["version"] == 1
    # The contract describes the slug under the name `title`; Grafana has always answered `slug`.
    told = {"title" if key == "slug" else key: value for key, value in saved.items()}
    hold(shared, "post", "/dashboards/db", 200, told)
    found = api.dashboard.get_dashboard(board.uid)
    hold(shared, "get", "/dashboards/uid/{uid}", 200, found)
    assert found["dashboard"]["panels"] == built["panels"]
    hold(shared, "get", "/search", 200, api.search.search_dashboards(tag="wardbook"))
    assert [hit["uid"] for hit in api.search.search_dashboards(tag="wardbook")] == [board.uid]
    with pytest.raises(GrafanaClientError) as older:
        api.dashboard.update_dashboard(sent)
    assert older.value.status_code == 412
    hold(shared, "post", "/dashboards/db", 412, older.value.response)
    api.dashboard.update_dashboard({**sent, "dashboard": {**built, "version": 1}})
    assert api.dashboard.get_dashboard(board.uid)["meta"]["version"] == 2
    with pytest.raises(GrafanaClientError) as missing:
        api.dashboard.update_dashboard({**sent, "folderUid": "other"})
    hold(shared, "post", "/dashboards/db", 404, missing.value.response)
    deleted = api.dashboard.delete_dashboard(board.uid)
    hold(shared, "delete", "/dashboards/uid/{uid}", 200, deleted)
    with pytest.raises(GrafanaClientError) as gone:
        api.dashboard.get_dashboard(board.uid)
    hold(shared, "get", "/dashboards/uid/{uid}", 404, gone.value.response)


def test_alert_rules(shared: Path, api: GrafanaApi, board: Board) -> None:
    api.folder.create_folder("Wardbook", "wardbook")
    rules, path = api.alertingprovisioning, "/v1/provisioning/alert-rules"
    for rule in build_rules(board, SOURCE, "wardbook"):
        hold(shared, "post", path, 201, rules.create_alertrule(rule))
        hold(shared, "put", f"{path}/{{UID}}", 200, rules.update_alertrule(rule["uid"], rule))
        hold(shared, "get", f"{path}/{{UID}}", 200, rules.get_alertrule(rule["uid"]))
    every = rules.get_alertrules_all()
    assert len(every) == 2
    hold(shared, "get", path, 200, every)
    rules.delete_alertrule(every[0]["uid"])
    assert [one["uid"] for one in rules.get_alertrules_all()] == [every[1]["uid"]]
    with pytest.raises(GrafanaClientError) as wrong:
        rules.create_alertrule({**every[1], "uid": "other", "condition": "Z", "title": "new"})
    assert wrong.value.status_code == 400


def test_who_may_do_what(shared: Path, grafana: GrafanaSandbox) -> None:
    with pytest.raises(GrafanaUnauthorizedError) as unknown:
        GrafanaApi.from_url(f"{grafana.url}/", credential="x").folder.get_all_folders()
    hold(shared, "get", "/folders", 401, unknown.value.response)
    reader = GrafanaApi.from_url(f"{grafana.url}/", credential=VIEWER)
    assert reader.folder.get_all_folders() == []
    with pytest.raises(GrafanaClientError) as refused:
        reader.folder.create_folder("Wardbook", "wardbook")
    assert refused.value.status_code == 403
    hold(shared, "post", "/folders", 403, refused.value.response)


BREAKS: dict[str, tuple[str, str, Any]] = {
    "a version in words": ("/dashboards/db", "post", lambda a: a.update(version="one")),
    "no address": ("/dashboards/db", "post", lambda a: a.pop("url")),
    "an unknown key": ("/dashboards/db", "post", lambda a: a.update(colour="blue")),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_answer_is_refused(shared: Path, broken: str) -> None:
    path, method, breaks = BREAKS[broken]
    answer = {
        "folderUid": "wardbook",
        "id": 1,
        "status": "success",
        "title": "x",
        "uid": "u",
        "url": "/d/u/x",
        "version": 1,
    }
    hold(shared, method, path, 200, copy.deepcopy(answer))
    breaks(answer)
    with pytest.raises(Broken):
        hold(shared, method, path, 200, answer)
