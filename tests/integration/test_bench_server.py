"""The bench's API as the panel asks it: on `wardbook lab`'s own server, with all that is behind it.

A request of the demonstration's hospital is opened, tried and submitted; what is wrong is refused.
"""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bench_world import BenchWorld
from factories import make_record, make_request, make_ticket
from panel_server import PanelServer, open_panel

from pipelines.bench.desk import Desk
from pipelines.bench.session import lay_out_session
from wardbook.audit.told import tell_details
from wardbook.domain.record import Links, Record
from wardbook.domain.run import RunSpec
from wardbook.domain.states import State

pytestmark = pytest.mark.xdist_group("bench")
HOSTILE = "<img src=x onerror=alert(1)>\u202e{0}"
SECRET = "1 84 12 76 451 089 46"  # a number that is nobody's, in the form of a NIR
UNSOUND = {"problem", "next", "places"}


def make(number: int, **request: object) -> Record:
    key = f"DATA-{number}"
    asked = {"key": key, "template": "line_list", "sources": {"stays": "stays"}}
    changes = {"key": key, "ticket": make_ticket(key=key), "links": Links(project="unite/x")}
    return make_record(State.PREPARED, **changes, request=make_request(**(asked | request)))


HOSTILE_KEY, EXPIRED = "DATA-902", "DATA-903"
RECORDS = [
    make(902, title=HOSTILE, question=HOSTILE, requester_name=HOSTILE),
    make(903, expires="2020-01-31"),
]


@pytest.fixture(scope="module")
def keys(bench_world: BenchWorld) -> tuple[str, str]:
    """A request over public data, and one over patients'."""
    return bench_world.prepare("report"), bench_world.prepare("line-list")


@pytest.fixture(scope="module")
def server(
    bench_world: BenchWorld, keys: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PanelServer]:
    folder = tmp_path_factory.mktemp("panel")
    with open_panel(bench_world, folder, keys[0], RECORDS) as opened:
        yield opened


@pytest.fixture
def public(keys: tuple[str, str]) -> str:
    return keys[0]


@pytest.fixture
def patients(keys: tuple[str, str]) -> str:
    return keys[1]


# --- an analyst's day -----------------------------------------------------------------------------


def test_a_request_is_opened_tried_and_submitted(server: PanelServer, public: str) -> None:
    assert server.command(public).stdout.splitlines()[-1] == server.address  # the one that runs
    (listed,) = server.command("--list").stdout.splitlines()
    assert f"port {server.port}" in listed

    told = server.api("GET", "words").json
    assert (told["language"], told["words"]["title"]) == ("en", "Request")
    rows = {one["key"]: one for one in server.api("GET", "requests").json["requests"]}
    assert set(rows[public]) == {"key", "title", "state", "state_label", "service", "opened"}
    assert rows[public]["opened"] is True

    opened = server.api("POST", f"requests/{public}/open").json
    path = f"{public}/requests/{public}/notebook.ipynb"
    assert (opened["path"], opened["warnings"]) == (path, [])
    card = server.api("GET", f"requests/{public}").json
    assert card == opened["card"]
    assert (card["notebook"], card["data"], card["trial"]) == (path, "real", None)
    assert card["git"]["branch"] == f"request/{public}"

    for data, restart in (("twin", True), ("twin", False), ("real", True)):
        changed = server.api("PUT", f"requests/{public}/data", {"data": data}).json
        assert (changed["restart"], changed["card"]["data"]) == (restart, data)

    before = server.api("GET", f"requests/{public}/trials/latest")
    assert before.status == 404
    ended = server.run(public)
    assert (ended["state"], ended["failure"], ended["current"]) == ("ended", None, True)
    assert (server.desk / ended["executed"]).is_file()
    assert server.api("GET", f"requests/{public}/trials/latest").json == ended
    assert server.api("GET", f"requests/{public}").json["trial"] == ended
    left = server.api("GET", f"requests/{public}/trials/latest/leaving").json
    assert {one["verdict"] for one in left["outputs"]} <= {"pass", "hold"}
    assert any(one["cell"] is not None and one["reasons"] for one in left["outputs"])
    assert left["dropped"] == []
    _look_at_preview(server, ended["preview"])

    compared = server.api("POST", f"requests/{public}/compare", {"against": "version"}).json
    assert all((server.desk / compared[one]).is_file() for one in ("base", "remote"))
    never = server.api("POST", f"requests/{public}/compare", {"against": "release"})
    assert (never.status, set(never.json)) == (409, UNSOUND)

    _append(server.desk / path, f"# {SECRET}")
    message = {"message": "Say what the weeks are"}
    refused = server.api("POST", f"requests/{public}/submit", message)
    assert refused.status == 409
    (place,) = refused.json["places"]
    assert {"path", "line", "cell"} < set(place)
    assert place["path"] == f"requests/{public}/notebook.ipynb"
    assert place["text"].startswith("social security number;")
    assert SECRET not in refused.body.decode() + server.log
    _append(server.desk / path, "# weeks begin on Monday")
    done = server.api("POST", f"requests/{public}/submit", message).json
    assert set(done) == {"commit", "merge_request_url", "text"}
    assert "/merge_requests/" in done["merge_request_url"]

    facts = [(event, told) for event, key, told in server.facts() if key == public]
    assert [event for event, _ in facts] == [
        *["bench.opened"] * 2, "bench.run", "bench.submitted",
    ]  # fmt: skip
    assert facts[2:] == [
        ("bench.run", {"run": ended["id"], "kind": "real"}),
        ("bench.submitted", {"commit": done["commit"]}),
    ]
    assert "withheld" not in json.dumps([tell_details(told) for _, told in facts])


def _append(notebook: Path, line: str) -> None:
    """Make this the last line of the first cell of code, instead of the last one that was."""
    read = json.loads(notebook.read_text(encoding="utf-8"))
    cell = next(one for one in read["cells"] if one["cell_type"] == "code")
    source = "".join(cell["source"]).partition("\n# ")[0]
    cell["source"] = f"{source}\n{line}"
    notebook.write_text(json.dumps(read), encoding="utf-8")


def _look_at_preview(server: PanelServer, address: str) -> None:
    page = server.ask("GET", address)
    assert page.status == 200
    assert "Essai, non publié" in page.body.decode()
    policy = page.headers["Content-Security-Policy"]
    assert "sandbox allow-same-origin" in policy
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    folder = address.removesuffix("index.html")
    (run,) = server.desk.glob(".bench/runs/bench-*")
    (run / "bench/preview/link.json").symlink_to(run / "result.json")
    for path in (
        "../result.json", "../../result.json", "..%2f..%2fresult.json", "%2e%2e/trial.json",
        "link.json", "/etc/passwd", "//etc/passwd", "..%5ctrial.json", "missing.html", "",
        "index.html%00.png",
    ):  # fmt: skip
        reply = server.ask("GET", folder + path)
        assert reply.status in {301, 400, 403, 404}, (path, reply.status)
        assert b"root:" not in reply.body
    assert server.ask("GET", folder.replace("bench-", "bench-x") + "index.html").status == 404
    stranger = server.ask("GET", address, headers={})
    assert (stranger.status, stranger.headers["Location"][:6]) == (302, "/login")


def test_openings_of_one_request_wait_for_each_other(server: PanelServer, public: str) -> None:
    replies: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: replies.append(server.api("POST", f"requests/{public}/open").status)
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [200] * 4


# --- patients' data -------------------------------------------------------------------------------


def test_no_patients_data_without_the_fact(server: PanelServer, patients: str) -> None:
    database = server.unit.ledger.partition(":///")[2]
    session = server.desk / ".bench" / patients / "session"
    silent = "CREATE TRIGGER silent BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, ''); END"
    with closing(sqlite3.connect(database)) as ledger:
        ledger.execute(silent)
        try:
            refused = server.api("POST", f"requests/{patients}/open")
            assert refused.status >= 500
            assert not (session / "run.json").exists()
        finally:
            ledger.execute("DROP TRIGGER silent")
    assert server.api("POST", f"requests/{patients}/open").status == 200  # the control
    assert RunSpec.read(session).sources
    assert ("bench.opened", patients, {"kind": "real"}) in server.facts()


def test_an_expired_basis_gives_no_patients_data(server: PanelServer, patients: str) -> None:
    card = server.api("GET", f"requests/{EXPIRED}").json
    assert (card["expired"], card["data"]) == (True, "twin")
    refused = server.api("PUT", f"requests/{EXPIRED}/data", {"data": "real"})
    assert refused.status == 409
    assert "2020-01-31" in refused.json["problem"]
    assert not [one for one in server.facts() if one[1] == EXPIRED]
    # nor do kernels, which ask nobody: here in the process itself, on another day
    bench = server.unit.bench.model_copy(update={"folder": server.desk})
    desk = Desk(server.unit.model_copy(update={"bench": bench}), "en")
    place = desk.place(patients)
    with desk.open_house() as house:
        assert lay_out_session(house, place, None, "real").problems == ()
        assert RunSpec.read(place.session).sources
        house.now = lambda: datetime(2099, 1, 1, tzinfo=UTC)
        late = lay_out_session(house, place, None, "real")
        assert set(late.refused) == {"stays"}
        assert not RunSpec.read(place.session).sources


def test_foreign_text_stays_plain_text(server: PanelServer) -> None:
    reply = server.api("GET", f"requests/{HOSTILE_KEY}")
    card = reply.json
    assert card["title"] == card["question"] == card["requester"] == HOSTILE.replace("\u202e", "")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


# --- the launcher ---------------------------------------------------------------------------------


def test_a_try_is_laid_out_and_never_submitted(server: PanelServer) -> None:
    names = [one["name"] for one in server.api("GET", "templates").json["templates"]]
    assert "hospital_epidemic" in names
    body = {"template": "hospital_epidemic", "parameters": {}}
    made = server.api("POST", "tries", body)
    key = "try-hospital_epidemic-1"
    assert made.json == {"key": key, "path": "try/hospital_epidemic-1/notebook.ipynb"}
    folder = server.desk / "try" / "hospital_epidemic-1"
    assert {file.name for file in folder.iterdir()} == {
        "notebook.ipynb", "parameters.json", "request.json",
    }  # fmt: skip
    card = server.api("GET", f"requests/{key}").json
    assert (card["is_try"], card["data"], card["issue_url"]) == (True, "twin", "")
    assert "file a ticket" in card["note"]
    for method, what, sent in (
        ("POST", "submit", {"message": "x"}),
        ("POST", "compare", {"against": "version"}),
        ("PUT", "data", {"data": "real"}),
    ):
        refused = server.api(method, f"requests/{key}/{what}", sent)
        assert refused.status == 409
        assert "try" in refused.json["problem"]
    assert server.api("POST", "tries", body).json["key"] == "try-hospital_epidemic-2"

    wrong = {"template": "hospital_epidemic", "parameters": {"start": "soon", "x": 1}}
    misfits = server.api("POST", "tries", wrong)
    assert misfits.status == 409
    assert {place["path"] for place in misfits.json["places"]} == {"start", "x"}
    assert server.api("POST", "tries", {"template": "../../etc", "parameters": {}}).status == 404
    assert not list(server.desk.glob("try/etc*"))


def test_a_defect_tells_its_class_and_place_alone(server: PanelServer) -> None:
    body = {"template": "hospital_epidemic", "parameters": {}}
    key = server.api("POST", "tries", body).json["key"]
    deep = f'["{SECRET}",' * 100_000  # no parameters of ours, and Python gives up on it
    (server.desk / "try" / key.removeprefix("try-") / "parameters.json").write_text(deep)
    reply = server.api("GET", f"requests/{key}")
    assert reply.status == 500
    assert "RecursionError in tries.py:" in reply.json["problem"]
    assert SECRET not in reply.body.decode() + server.log


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


def test_nobody_asks_without_the_token(server: PanelServer) -> None:
    for method, path in QUESTIONS:
        for headers in ({}, {"Authorization": "token wrong"}):
            reply = server.ask(method, f"/wardbook/api/{path}", {}, headers=headers)
            assert (reply.status, set(reply.json)) == (403, UNSOUND), (method, path)


def log_in(server: PanelServer) -> dict[str, str]:
    """Return a browser's cookies after its login."""
    cookies: dict[str, str] = {}
    for path in ("/login", f"/login?token={server.token}"):
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as there:
            there.request("GET", path, headers=as_header(cookies))
            answer = there.getresponse()
            answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                left, _, right = value.partition(";")[0].partition("=")
                cookies[left] = right
    return cookies


def as_header(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def test_a_browser_without_the_pages_key_changes_nothing(server: PanelServer, public: str) -> None:
    cookies = log_in(server)
    sent = as_header(cookies)
    assert server.ask("GET", "/wardbook/api/words", headers=sent).status == 200
    path, body = f"/wardbook/api/requests/{public}/data", {"data": "real"}
    refused = server.ask("PUT", path, body, headers=sent)
    assert refused.status == 403
    assert "key is not right" in refused.json["problem"]
    sent["X-XSRFToken"] = cookies["_xsrf"]
    assert server.ask("PUT", path, body, headers=sent).status == 200


def test_a_hostile_key_is_unknown(server: PanelServer) -> None:
    before = sorted(server.desk.rglob("*"))
    for key in (
        "DATA-999", "data-1", "..", "%2e%2e%2f%2e%2e%2fetc", "DATA-1%00", "DATA-1%0a",
        "try-..%2f..-1", "try-line_list-7", "A" * 3000, "%F0%9F%92%A9", "{key}",
        "%7b0.__class__%7d",
    ):  # fmt: skip
        for method, what in (("GET", ""), ("POST", "/open"), ("GET", "/trials/latest")):
            reply = server.ask(method, f"/wardbook/api/requests/{key}{what}")
            assert reply.status == 404, (key, reply.body)
            assert reply.json["problem"]
            assert len(reply.body) < 600
    assert sorted(server.desk.rglob("*")) == before


def test_wrong_json_is_refused(server: PanelServer, public: str) -> None:
    for raw in (
        b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"data": "fake"}', b'{"data": 1}',
        b'{"data": "twin", "more": 1}', b'{"data": NaN}', b"[" * 100_000,
    ):  # fmt: skip
        reply = server.ask("PUT", f"/wardbook/api/requests/{public}/data", raw=raw)
        assert reply.status == 400, raw[:40]
        assert "cannot be read" in reply.json["problem"]
        assert b"fake" not in reply.body


def test_a_huge_body_is_refused_before_it_is_sent(server: PanelServer) -> None:
    for announced in ({"Content-Length": str(10**9)}, {"Transfer-Encoding": "chunked"}):
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as there:
            there.putrequest("PUT", "/wardbook/api/requests/DATA-1/data")
            for name, value in ({"Authorization": f"token {server.token}"} | announced).items():
                there.putheader(name, value)
            there.endheaders()
            if "Transfer-Encoding" in announced:
                there.send(b"1\r\nx\r\n")
            answer = there.getresponse()
            assert answer.status == 413
            assert json.loads(answer.read())["problem"]


def test_other_addresses_are_told_as_json(server: PanelServer) -> None:
    for path in ("nothing", "requests/DATA-1/nothing", "requests/a/b/c/d"):
        reply = server.api("GET", path)
        assert (reply.status, set(reply.json)) == (404, UNSOUND)


# --- the link on an issue -------------------------------------------------------------------------


def test_the_link_of_an_issue_opens_the_notebook(server: PanelServer, public: str) -> None:
    reply = server.ask("GET", f"/wardbook/open?request={public}")
    assert reply.status == 302
    assert reply.headers["Location"] == f"/lab/tree/{public}/requests/{public}/notebook.ipynb"
    unknown = server.ask("GET", "/wardbook/open?request=%3Cscript%3E")
    assert unknown.status == 404
    assert b"<script>" not in unknown.body
    assert b"&lt;script&gt;" in unknown.body
    stranger = server.ask("GET", "/wardbook/open?request=DATA-1", headers={})
    assert stranger.status == 302
    assert stranger.headers["Location"] == "/login?next=%2Fwardbook%2Fopen%3Frequest%3DDATA-1"
