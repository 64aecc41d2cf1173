"""The unit's dashboards: previews for its site, files and pushes for its Grafana."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.house import House
from wardbook.dashboards.declared import declared_boards, metric_tables
from wardbook.dashboards.unit import unit_board
from wardbook.errors import ForeignFault, SettingsFault, WardbookError
from wardbook.files import write_atomically

if TYPE_CHECKING:
    from pydantic import SecretStr
    from sqlalchemy import Connection

    from pipelines.story import Pass
    from wardbook.dashboards.board import Board
    from wardbook.dashboards.check import Unanswerable
    from wardbook.dashboards.grafana_port import GrafanaPort
    from wardbook.dashboards.macros import Window
    from wardbook.dashboards.push import Place, Pushed
    from wardbook.pages.page import Page

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ready:
    """What may be pushed, and what is held since the database cannot answer it."""

    boards: list[tuple[Board, Window | None]]
    held: list[Unanswerable]


def boards_of(house: House, missing: Collection[str] = ()) -> tuple[Board, ...]:
    """Return every dashboard of the unit: those of its templates, and its own.

    Panels of tables that are `missing` are left out of the templates'.
    """
    language = house.settings.unit.language
    return (*declared_boards(house.templates, language, missing), unit_board(language))


def dashboard_pages(house: House) -> tuple[Page, ...]:
    """Return the previews for the site; none while the metrics' database is away.

    Pages of earlier builds stay on the site then.
    """
    from wardbook.dashboards.check import find_missing
    from wardbook.dashboards.preview import preview_pages
    from wardbook.dashboards.reading import read_board

    try:
        with house.open_metrics() as database, database.reading() as connection:
            missing = find_missing(connection, metric_tables(house.templates, optional=False))
            read = [read_board(connection, board) for board in boards_of(house, missing)]
    except ForeignFault as fault:
        log.warning("the dashboards on the site stay as they are: %s", fault)
        return ()
    shown = [values for values in read if values is not None]
    grafana = house.settings.grafana.url
    return preview_pages(shown, house.settings.unit.language, house.zone, grafana)


def find_ready(house: House) -> Ready:
    """Ask the database every query of every dashboard; those that it cannot answer are held.

    A dashboard of which one query fails is held as a whole. What runs may leave out and never
    delivered has no panel yet.
    """
    from wardbook.dashboards.check import find_missing, find_unanswerable

    ready = Ready([], [])
    with house.open_metrics() as database, database.reading() as connection:
        missing = find_missing(connection, metric_tables(house.templates, optional=True))
        for board in boards_of(house, missing):
            wrong = list(find_unanswerable(connection, board))
            ready.held.extend(wrong)
            if not wrong:
                ready.boards.append((board, _window(house, connection, board)))
    return ready


def _window(house: House, connection: Connection, board: Board) -> Window | None:
    """Return the time that has values, where the last days have none."""
    from wardbook.dashboards.macros import Window
    from wardbook.dashboards.reading import find_end

    end = find_end(connection, list(board.tables))
    if end is None or house.now() - end < timedelta(days=board.span_days):
        return None
    return Window.ending(end, board.span_days)


def place_of(house: House) -> Place:
    """Return where in Grafana the unit's dashboards belong."""
    from wardbook.dashboards.push import Place

    settings = house.settings
    return Place(
        settings.grafana.folder,
        settings.unit.name,
        settings.grafana.datasource,
        settings.unit.time_zone,
    )


def write_provisioning(house: House, out: Path) -> tuple[list[Path], list[Unanswerable]]:
    """Write Grafana's provisioning files of what is ready; returns them, and what is held.

    Raises:
        SettingsFault: the metrics are not in PostgreSQL.
    """
    from wardbook.dashboards.provisioning import write_files

    ready = find_ready(house)
    database = house.settings.metrics_database
    return write_files(out, ready.boards, place_of(house), database), ready.held


def push_dashboards(house: House) -> tuple[list[Pushed], list[Unanswerable], list[str]]:
    """Push what is ready to Grafana; returns what came of it, what is held, what is left over.

    Raises:
        SettingsFault: the settings name no Grafana, or metrics that it cannot read.
        ForeignFault: Grafana or the database is away, too old, or refuses.
    """
    from wardbook.dashboards.push import find_left_over, push_boards

    grafana = house.settings.grafana
    if grafana.url is None or grafana.token is None:
        raise SettingsFault(
            "No Grafana to push to: write `url` and `token_file` under [grafana] in wardbook.toml, "
            "or load the files of `wardbook dashboards build` there."
        )
    if not house.settings.metrics_database.startswith("postgresql"):
        raise SettingsFault(
            "Grafana reads metrics from PostgreSQL, and yours stand in SQLite: name a PostgreSQL "
            "in `database` under [grafana]. The site shows them meanwhile, under dashboards/."
        )
    ready, place = find_ready(house), place_of(house)
    port = _open_port(grafana.url, grafana.token)
    pushed = push_boards(port, ready.boards, place)
    return pushed, ready.held, find_left_over(port, boards_of(house), place)


def refresh_grafana(house: House, outcome: Pass) -> None:
    """After a pass in which something moved, push to Grafana what is another than last time.

    What a template has not delivered yet waits; `wardbook dashboards check` names it.
    """
    grafana = house.settings.grafana
    in_postgresql = house.settings.metrics_database.startswith("postgresql")
    if not (outcome.moved and grafana.url and grafana.token and in_postgresql):
        return
    try:
        ready, place = find_ready(house), place_of(house)
        stands = hashlib.sha256(repr((ready.boards, place, grafana.url)).encode()).hexdigest()
        note = house.settings.unit.state / "metrics" / "pushed"
        if note.is_file() and note.read_text(encoding="utf-8") == stands:
            return
        from wardbook.dashboards.push import push_boards

        push_boards(_open_port(grafana.url, grafana.token), ready.boards, place)
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(note, stands)
    except (WardbookError, OSError) as error:
        outcome.faults["grafana"] = str(error)


def _open_port(url: str, token: SecretStr) -> GrafanaPort:
    from wardbook.dashboards.grafana_port import GrafanaPort

    return GrafanaPort(url, token.get_secret_value())
