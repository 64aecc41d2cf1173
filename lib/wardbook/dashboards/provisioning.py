"""The files from which Grafana provisions itself: data source, dashboards, alert rules.

The folder is laid out as Grafana's own `provisioning`. Its YAML files are written as JSON, which
YAML holds. Accounts and passwords are not in them: Grafana takes those from its environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from wardbook.dashboards.alerts import build_rules
from wardbook.dashboards.board import Board
from wardbook.dashboards.grafana import SOURCE_TYPE, build_dashboard, write_json
from wardbook.dashboards.macros import Window
from wardbook.dashboards.push import Place
from wardbook.errors import SettingsFault
from wardbook.files import write_atomically

SEEN_AT = "/etc/grafana/provisioning"
"""Where Grafana's packages and images look for the folder."""
_DASHBOARDS = "dashboards/wardbook"
_OF_A_FILE = ("folderUID", "ruleGroup", "orgID")
_HERE = ("localhost", "127.0.0.1", "::1")


def write_files(
    out: Path, boards: Sequence[tuple[Board, Window | None]], place: Place, database: str
) -> list[Path]:
    """Write the files of some boards below `out`; returns them, in order.

    Each appears whole. Dashboards of earlier times that are not among the boards are removed.

    Args:
        out: made if it is missing.
        boards: each with the time that it shows at first.
        place: uids in Grafana.
        database: the address of the metrics' database.

    Raises:
        SettingsFault: the metrics are not in PostgreSQL, which is what our queries are for.
    """
    source = _describe_source(place, database)
    files = {
        "datasources/wardbook.yaml": {"apiVersion": 1, "datasources": [source]},
        "dashboards/wardbook.yaml": {"apiVersion": 1, "providers": [_describe_provider(place)]},
        "alerting/wardbook.yaml": {
            "apiVersion": 1,
            "groups": [_describe_group(board, place) for board, _ in boards if any(board.alerts())],
        },
    }
    for board, window in boards:
        built = build_dashboard(board, place.datasource, place.zone, window)
        files[f"{_DASHBOARDS}/{board.uid}.json"] = built
    for name, content in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out / name, write_json(content), mode=0o644)
    for old in (out / _DASHBOARDS).glob("*.json"):
        if f"{_DASHBOARDS}/{old.name}" not in files:
            old.unlink()
    return [out / name for name in files]


def _describe_source(place: Place, database: str) -> dict[str, Any]:
    url = make_url(database)
    if not url.drivername.startswith("postgresql"):
        raise SettingsFault(
            "Grafana reads metrics from PostgreSQL, and yours stand in SQLite: name a PostgreSQL "
            "in `database` under [grafana]. The site shows them meanwhile, under dashboards/."
        )
    host = url.host or str(url.query.get("host", "localhost"))
    near = host in _HERE or host.startswith("/")
    return {
        "name": place.title,
        "uid": place.datasource,
        "type": SOURCE_TYPE,
        "access": "proxy",
        "url": host if host.startswith("/") else f"{host}:{url.port or 5432}",
        "user": "$WARDBOOK_GRAFANA_USER",
        "secureJsonData": {"password": "$WARDBOOK_GRAFANA_PASSWORD"},
        "jsonData": {
            "database": url.database,
            "postgresVersion": 1500,
            "sslmode": url.query.get("sslmode", "disable" if near else "require"),
        },
        "editable": False,
    }


def _describe_provider(place: Place) -> dict[str, Any]:
    return {
        "name": "wardbook",
        "type": "file",
        "folder": place.title,
        "folderUid": place.folder,
        "allowUiUpdates": False,
        "disableDeletion": False,
        "options": {"path": f"{SEEN_AT}/{_DASHBOARDS}"},
    }


def _describe_group(board: Board, place: Place) -> dict[str, Any]:
    rules = build_rules(board, place.datasource, place.folder)
    return {
        "orgId": 1,
        "name": board.name,
        "folder": place.title,
        "interval": "10m",
        "rules": [
            {key: _quoted(value) for key, value in rule.items() if key not in _OF_A_FILE}
            for rule in rules
        ],
    }


def _quoted(value: Any) -> Any:
    """Return a value in whose texts Grafana finds no variable of its environment."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _quoted(item) for key, item in value.items()}
    return [_quoted(item) for item in value] if isinstance(value, list) else value
