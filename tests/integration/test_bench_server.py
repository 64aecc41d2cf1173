"""The bench's API in a real jupyter_server over loopback HTTP: what it answers, what it refuses.

The rooms behind it are small (tests/bench_stand_ins.py): nothing is executed, no server is asked.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from answered_unit import write_records
from bench_stand_ins import SECRET
from factories import make_record, make_request, make_ticket
from panel_server import TOKEN, PanelServer, serve_panel

from pipelines.sample_settings import SAMPLE
from wardbook.domain.record import Links, Record
from wardbook.domain.states import State
from wardbook.ledger import open_ledger
from wardbook.settings import load_settings

HOSTILE = "<img src=x onerror=alert(1)>\u202e{0}"
ANALYST = {"WARDBOOK_JIRA_TOKEN": "a", "WARDBOOK_GITLAB_TOKEN": "b", "WARDBOOK_LANGUAGE": "en"}


def make(number: int, **request: object) -> Record:
    key = f"DATA-{number}"
    ticket = make_ticket(key=key)
    asked = {"key": key, "template": "hospital_epidemic", "sources": {"hospital": "counts"}}
    links = Links(project="unite/x", issue=number, issue_url=f"https://gitlab.example/{number}")
    changes = {"key": key, "ticket": ticket, "links": links}
    return make_record(State.PREPARED, **changes, request=make_request(**(asked | request)))


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A unit with four requests: one ordinary, one hostile, one expired, one of a closed source."""
    folder = tmp_path_factory.mktemp("unit")
    kinds = '[sources.counts]\nkind = "spf-hospital"\npath = "spf.csv"\nsensitivity = "sensitive"\n'
    closed = kinds.replace("sources.counts", "sources.closed") + 'purposes = ["research"]\n'
    text = re.sub(r"(?m)^token_file.*\n", "", SAMPLE) + f"\n{kinds}\n{closed}"
    (folder / "wardbook.toml").write_text(text, encoding="utf-8")
    (folder / "twins").mkdir()
    (folder / "twins" / "counts.spf-hospital.csv").write_text("synthetic")
    (folder / "desk").mkdir()
    (folder / "state").mkdir(mode=0o700)
    settings = load_settings(folder / "wardbook.toml", ANALYST)
    records = [
        make(1),
        make(2, title=HOSTILE, question=HOSTILE, requester_name=HOSTILE),
        make(3, expires="2020-01-31"),
        make(4, sources={"hospital": "closed"}),
    ]
    write_records(settings.ledger, records)
    return folder


@pytest.fixture(scope="module")
def server(unit: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PanelServer]:
    places = {"SETTINGS": "wardbook.toml", "BENCH": "desk"}
    environ = ANALYST | {f"WARDBOOK_{name}": str(unit / at) for name, at in places.items()}
    own = tmp_path_factory.mktemp("jupyter")
    with serve_panel(own, unit / "desk", environ, "bench_stand_ins") as started:
        yield started


def facts_of(unit: Path) -> list[tuple[str, str, object]]:
    ledger = open_ledger(load_settings(unit / "wardbook.toml", ANALYST).ledger)
    try:
        entries = ledger.audit_entries()
    finally:
        ledger.close()
    return [
        (e.event, e.request, json.loads(e.details)) for e in entries if e.event.startswith("bench.")
    ]


def test_words_are_the_panels_in_the_analysts_language(server: PanelServer) -> None:
    told = server.api("GET", "words").json
    assert told["language"] == "en"
    assert told["words"]["title"] == "Request"


def test_requests_are_listed_newest_first(server: PanelServer) -> None:
    listed = server.api("GET", "requests").json["requests"]
    assert [one["key"] for one in listed] == ["DATA-4", "DATA-3", "DATA-2", "DATA-1"]
    assert listed[0]["state_label"] == "Prepared"
    assert set(listed[0]) == {"key", "title", "state", "state_label", "service", "opened"}


def test_a_request_is_opened_with_its_card_and_the_log_tells_of_real_data(
    server: PanelServer, unit: Path
) -> None:
    opened = server.api("POST", "requests/DATA-1/open")
    assert opened.status == 200
    path = opened.json["path"]
    assert path == "DATA-1/requests/DATA-1/notebook.ipynb"
    assert (unit / "desk" / path).is_file()
    assert opened.json["warnings"] == ["the branch moved on"]
    card = server.api("GET", "requests/DATA-1").json
    assert card == opened.json["card"]
    assert card["notebook"] == path
    assert card["data"] == "real"
    assert card["git"] == {
        "branch": "request/DATA-1", "changed": True, "ahead": 1, "behind": 0, "gone": False,
    }  # fmt: skip
    assert card["sources"][0]["twin"] is True
    assert ("bench.opened", "DATA-1", {"kind": "real"}) in facts_of(unit)


def test_choosing_twins_asks_for_new_kernels_and_is_kept(server: PanelServer) -> None:
    server.api("POST", "requests/DATA-1/open")
    changed = server.api("PUT", "requests/DATA-1/data", {"data": "twin"}).json
    assert (changed["restart"], changed["card"]["data"]) == (True, "twin")
    assert server.api("PUT", "requests/DATA-1/data", {"data": "twin"}).json["restart"] is False
    assert server.api("PUT", "requests/DATA-1/data", {"data": "real"}).json["restart"] is True


def test_an_expired_basis_is_said_and_gives_no_real_data(server: PanelServer, unit: Path) -> None:
    opened = server.api("POST", "requests/DATA-3/open").json
    assert opened["card"]["expired"] is True
    assert opened["card"]["data"] == "twin"
    assert "expired on 2020-01-31" in " ".join(opened["warnings"])
    refused = server.api("PUT", "requests/DATA-3/data", {"data": "real"})
    assert refused.status == 409
    assert "2020-01-31" in refused.json["problem"]
    assert not [one for one in facts_of(unit) if one[1] == "DATA-3"]


def test_a_closed_source_has_the_gates_own_sentence(server: PanelServer) -> None:
    (source,) = server.api("GET", "requests/DATA-4").json["sources"]
    told = "the source hospital “closed” is not open to this service and this purpose."
    assert source["refused"] == told


def test_foreign_text_stays_plain_text(server: PanelServer) -> None:
    reply = server.api("GET", "requests/DATA-2")
    card = reply.json
    assert card["title"] == card["question"] == card["requester"] == HOSTILE.replace("\u202e", "")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_a_trial_is_begun_looked_at_and_ended(server: PanelServer, unit: Path) -> None:
    server.api("POST", "requests/DATA-2/open")
    assert server.api("GET", "requests/DATA-2/trials/latest").status == 404
    begun = server.api("POST", "requests/DATA-2/trials").json
    assert begun["preview"] == "/wardbook/preview/DATA-2/t1/index.html"
    assert begun["executed"] == ".bench/DATA-2/runs/t1/executed.ipynb"
    assert "folder" not in begun
    assert server.api("GET", "requests/DATA-2/trials/latest").json == begun
    assert server.api("GET", "requests/DATA-2").json["trial"] == begun
    left = server.api("GET", "requests/DATA-2/trials/t1/leaving").json
    assert set(left) == {"outputs", "dropped"}
    ended = server.api("DELETE", "requests/DATA-2/trials/t1").json
    assert (ended["state"], ended["preview"]) == ("cancelled", "")
    assert ("bench.run", "DATA-2", {"run": "t1", "kind": "real"}) in facts_of(unit)


def test_two_openings_of_one_request_wait_for_each_other(server: PanelServer) -> None:
    replies: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: replies.append(server.api("POST", "requests/DATA-2/open").status)
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [200] * 4


def test_submitting_is_told_in_the_log(server: PanelServer, unit: Path) -> None:
    done = server.api("POST", "requests/DATA-1/submit", {"message": "Count by week"})
    assert done.json == {
        "commit": "2" * 40,
        "merge_request_url": "https://gitlab.example/mr/1",
        "text": "Count by week",
    }
    assert ("bench.submitted", "DATA-1", {"commit": "2" * 40}) in facts_of(unit)


def test_what_is_refused_comes_back_with_its_places(server: PanelServer) -> None:
    refused = server.api("POST", "requests/DATA-1/submit", {"message": "objection"})
    assert refused.status == 409
    place = {"path": "requests/DATA-1/notebook.ipynb", "line": 3, "text": "a number"}
    assert refused.json == {"problem": "there are numbers in it", "next": "", "places": [place]}


@pytest.mark.parametrize(
    ("message", "status", "told"),
    [
        ("server", 503, "GitLab does not answer"),
        ("full", 507, "disk is full"),
        ("defect", 500, "KeyError in bench_stand_ins.py"),
    ],
)
def test_faults_are_told_and_no_value_with_them(
    server: PanelServer, message: str, status: int, told: str
) -> None:
    reply = server.api("POST", "requests/DATA-1/submit", {"message": message})
    assert reply.status == status
    assert told.partition(" in ")[0] in reply.json["problem"]
    assert SECRET not in reply.body.decode()
    assert SECRET not in server.log.read_text()


def test_comparing_answers_paths_or_a_sentence(server: PanelServer) -> None:
    found = server.api("POST", "requests/DATA-1/compare", {"against": "version"}).json
    assert found["remote"] == "DATA-1/requests/DATA-1/notebook.ipynb"
    refused = server.api("POST", "requests/DATA-1/compare", {"against": "release"})
    assert (refused.status, refused.json["problem"]) == (409, "nothing was released yet")


# --- the launcher ---------------------------------------------------------------------------------


def test_a_try_is_laid_out_and_never_submitted(server: PanelServer, unit: Path) -> None:
    tiles = server.api("GET", "templates").json["templates"]
    tile = next(one for one in tiles if one["name"] == "hospital_epidemic")
    assert tile["sources"][0]["twin"] is True
    made = server.api("POST", "tries", {"template": "hospital_epidemic", "parameters": {}})
    assert made.status == 200, made.body
    assert made.json == {
        "key": "try-hospital_epidemic-1",
        "path": "try/hospital_epidemic-1/notebook.ipynb",
    }
    folder = unit / "desk" / "try" / "hospital_epidemic-1"
    assert {file.name for file in folder.iterdir()} == {
        "notebook.ipynb", "parameters.json", "request.json",
    }  # fmt: skip
    card = server.api("GET", "requests/try-hospital_epidemic-1").json
    assert (card["is_try"], card["data"], card["issue_url"]) == (True, "twin", "")
    assert "file a ticket" in card["note"]
    for method, what, body in (
        ("POST", "submit", {"message": "x"}),
        ("POST", "compare", {"against": "version"}),
        ("PUT", "data", {"data": "real"}),
    ):
        refused = server.api(method, f"requests/try-hospital_epidemic-1/{what}", body)
        assert refused.status == 409
        assert "try" in refused.json["problem"]
    assert server.api("POST", "requests/try-hospital_epidemic-1/trials").status == 200
    again = server.api("POST", "tries", {"template": "hospital_epidemic", "parameters": {}})
    assert again.json["key"] == "try-hospital_epidemic-2"


def test_parameters_that_do_not_fit_come_back_with_their_place(
    server: PanelServer, unit: Path
) -> None:
    body = {"template": "hospital_epidemic", "parameters": {"start": "soon", "x": 1}}
    refused = server.api("POST", "tries", body)
    assert refused.status == 409
    assert {place["path"] for place in refused.json["places"]} == {"start", "x"}
    nothing = {"template": "../../etc", "parameters": {}}
    assert server.api("POST", "tries", nothing).status == 404
    assert not list((unit / "desk").glob("try/etc*"))


# --- what is refused at the door ------------------------------------------------------------------

QUESTIONS = [
    ("GET", "words"),
    ("GET", "requests"),
    ("GET", "requests/DATA-1"),
    ("POST", "requests/DATA-1/open"),
    ("PUT", "requests/DATA-1/data"),
    ("POST", "requests/DATA-1/trials"),
    ("GET", "requests/DATA-1/trials/latest"),
    ("DELETE", "requests/DATA-1/trials/latest"),
    ("GET", "requests/DATA-1/trials/latest/leaving"),
    ("POST", "requests/DATA-1/compare"),
    ("POST", "requests/DATA-1/submit"),
    ("GET", "templates"),
    ("POST", "tries"),
    ("GET", "elsewhere"),
]


@pytest.mark.parametrize(("method", "path"), QUESTIONS)
def test_nobody_asks_without_the_token(server: PanelServer, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "token wrong"}):
        reply = server.ask(method, f"/wardbook/api/{path}", {}, headers=headers)
        assert reply.status == 403
        assert set(reply.json) == {"problem", "next", "places"}


def log_in(server: PanelServer) -> dict[str, str]:
    """Return a browser's cookies after its login."""
    cookies: dict[str, str] = {}
    for path in ("/login", f"/login?token={TOKEN}"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", path, headers=as_header(cookies))
        answer = connection.getresponse()
        answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                left, _, right = value.partition(";")[0].partition("=")
                cookies[left] = right
        connection.close()
    return cookies


def as_header(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def test_a_browser_without_the_pages_key_changes_nothing(server: PanelServer) -> None:
    cookies = log_in(server)
    sent = as_header(cookies)
    assert server.ask("GET", "/wardbook/api/words", headers=sent).status == 200
    path, body = "/wardbook/api/requests/DATA-1/submit", {"message": "Count by week"}
    refused = server.ask("POST", path, body, headers=sent)
    assert refused.status == 403
    assert "key is not right" in refused.json["problem"]
    sent["X-XSRFToken"] = cookies["_xsrf"]
    assert server.ask("POST", path, body, headers=sent).status == 200


@pytest.mark.parametrize(
    "key",
    [
        "DATA-99",
        "data-1",
        "..",
        "%2e%2e%2f%2e%2e%2fetc",
        "DATA-1%00",
        "DATA-1%0a",
        "try-..%2f..-1",
        "try-line_list-7",
        "A" * 3000,
        "%F0%9F%92%A9",
        "{key}",
        "%7b0.__class__%7d",
    ],
)
def test_a_hostile_key_is_unknown(server: PanelServer, unit: Path, key: str) -> None:
    before = sorted((unit / "desk").rglob("*"))
    for method, what in (("GET", ""), ("POST", "/open"), ("GET", "/trials/latest")):
        reply = server.ask(method, f"/wardbook/api/requests/{key}{what}")
        assert reply.status == 404, reply.body
        assert reply.json["problem"]
        assert len(reply.body) < 600
    assert sorted((unit / "desk").rglob("*")) == before


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"data": "fake"}', b'{"data": 1}',
        b'{"data": "twin", "more": 1}', b'{"data": NaN}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_wrong_json_is_refused(server: PanelServer, raw: bytes) -> None:
    reply = server.ask("PUT", "/wardbook/api/requests/DATA-1/data", raw=raw)
    assert reply.status == 400
    assert "cannot be read" in reply.json["problem"]
    assert b"fake" not in reply.body


def test_a_huge_body_is_refused_before_it_is_sent(server: PanelServer) -> None:
    for announced in ({"Content-Length": str(10**9)}, {"Transfer-Encoding": "chunked"}):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.putrequest("PUT", "/wardbook/api/requests/DATA-1/data")
        for name, value in (dict(server.headers) | announced).items():
            connection.putheader(name, value)
        connection.endheaders()
        if "Transfer-Encoding" in announced:
            connection.send(b"1\r\nx\r\n")
        answer = connection.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["problem"]
        connection.close()


def test_other_addresses_are_told_as_json(server: PanelServer) -> None:
    for path in ("nothing", "requests/DATA-1/nothing", "requests/a/b/c/d"):
        reply = server.api("GET", path)
        assert (reply.status, set(reply.json)) == (404, {"problem", "next", "places"})


# --- pages ----------------------------------------------------------------------------------------


def test_the_link_of_an_issue_opens_the_notebook(server: PanelServer) -> None:
    reply = server.ask("GET", "/wardbook/open?request=DATA-1")
    assert reply.status == 302
    assert reply.headers["Location"] == "/lab/tree/DATA-1/requests/DATA-1/notebook.ipynb"
    unknown = server.ask("GET", "/wardbook/open?request=%3Cscript%3E")
    assert unknown.status == 404
    assert b"<script>\xe2" not in unknown.body
    assert b"&lt;script&gt;" in unknown.body


def test_a_stranger_logs_in_first_and_comes_back(server: PanelServer) -> None:
    reply = server.ask("GET", "/wardbook/open?request=DATA-1", headers={})
    assert reply.status == 302
    assert reply.headers["Location"] == "/login?next=%2Fwardbook%2Fopen%3Frequest%3DDATA-1"


def test_a_preview_runs_no_script_and_serves_nothing_else(server: PanelServer) -> None:
    server.api("POST", "requests/DATA-4/trials")
    page = server.ask("GET", "/wardbook/preview/DATA-4/t1/index.html")
    assert page.status == 200
    policy = page.headers["Content-Security-Policy"]
    assert "sandbox allow-same-origin" in policy
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    for path in (
        "../log.txt", "..%2flog.txt", "%2e%2e/log.txt", "link.txt", "/etc/passwd", "//etc/passwd",
        "..%5clog.txt", "missing.html", "", "index.html%00.png",
    ):  # fmt: skip
        reply = server.ask("GET", f"/wardbook/preview/DATA-4/t1/{path}")
        assert reply.status in {301, 400, 403, 404}, (path, reply.status)
        assert SECRET.encode() not in reply.body
    assert server.ask("GET", "/wardbook/preview/DATA-4/t2/index.html").status == 404
    stranger = server.ask("GET", "/wardbook/preview/DATA-4/t1/index.html", headers={})
    assert stranger.status == 302
    assert stranger.headers["Location"].startswith("/login")
