"""Static previews of dashboards for the site: what Grafana would show, drawn once as it stands.

Everything comes from the tables of released series: what the rules withheld is not in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from wardbook.dashboards.preview_panel import describe_panel
from wardbook.dashboards.reading import BoardValues, Called
from wardbook.dashboards.wording import Wording
from wardbook.messages import Language
from wardbook.pages.page import Page
from wardbook.report.voice import Voice


def preview_pages(
    boards: Sequence[BoardValues], language: Language, zone: ZoneInfo, grafana: str | None = None
) -> tuple[Page, ...]:
    """Return a page for each board, and one that lists them.

    Args:
        boards: what they show, in the order of the list.
        language: of the site.
        zone: the unit's time zone, in which days begin.
        grafana: the address of the unit's Grafana, for links to it.
    """
    wording = Wording(Voice(language), zone)
    pages = [
        Page(
            f"dashboards/{values.board.name}/index.html",
            "dashboard.html.j2",
            {"here": "dashboards", "shown": describe_board(values, wording, grafana)},
        )
        for values in boards
    ]
    cards = [describe_card(values, wording) for values in boards]
    listed = Page(
        "dashboards/index.html", "dashboards.html.j2", {"here": "dashboards", "cards": cards}
    )
    return (*pages, listed)


def describe_card(values: BoardValues, wording: Wording) -> Mapping[str, object]:
    """Return what the list says of a board."""
    firing = [one for one in values.alerts if one.crossed]
    return {
        "name": values.board.name,
        "title": values.board.title,
        "help": values.board.help,
        "until": wording.day(values.window.end),
        "firing": [_alert(one, wording) for one in firing],
    }


def describe_board(
    values: BoardValues, wording: Wording, grafana: str | None
) -> Mapping[str, object]:
    """Return what the page of a board says."""
    board = values.board
    return {
        "title": board.title,
        "help": board.help,
        "request": values.request,
        "start": wording.day(values.window.start),
        "end": wording.day(values.window.end),
        "alerts": [_alert(one, wording) for one in values.alerts],
        "stats": [
            describe_panel(one, wording) for one in values.panels if one.panel.kind == "stat"
        ],
        "panels": [
            describe_panel(one, wording) for one in values.panels if one.panel.kind != "stat"
        ],
        "grafana": f"{grafana.rstrip('/')}/d/{board.uid}" if grafana else None,
    }


def _alert(called: Called, wording: Wording) -> Mapping[str, object]:
    panel, threshold = called.panel, called.threshold
    alert = threshold.alert
    assert alert is not None  # noqa: S101  what makes it one
    named = [
        wording.voice.say("dashboard.alert_where", series=series, value=wording.value(panel, value))
        if series
        else wording.value(panel, value)
        for series, value in called.crossed
    ]
    condition = wording.threshold(panel, threshold)
    if alert.periods > 1:
        condition = wording.voice.say(
            "dashboard.in_a_row", condition=condition, count=alert.periods
        )
    return {
        "firing": bool(called.crossed),
        "severity": threshold.severity,
        "title": panel.title,
        "message": alert.message,
        "condition": condition,
        "named": named,
    }
