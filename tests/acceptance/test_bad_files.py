"""A damaged data file, from ticket to answer: the ticket says what and where, nothing appears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.demo.demo import opened_world
from pipelines.demo.reviewer import Reviewer
from pipelines.demo.tickets import DemoTicket, care_fields, fields_of
from pipelines.demo.world import DIRECTION
from pipelines.house import House
from pipelines.story import tick_until_quiet
from tests.acceptance.crash_form import LONG
from wardbook.epidemic.generate import generate_files
from wardbook.settings import load_settings

pytestmark = pytest.mark.xdist_group("bad files")

CANARY = b"Zqx77canari"


def edit_line(number: int, edit: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def damage(content: bytes) -> bytes:
        lines = content.split(b"\r\n")
        lines[number - 1] = edit(lines[number - 1])
        return b"\r\n".join(lines)

    return damage


ALL: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "missing_column": (
        lambda c: (
            b"\r\n".join(line.rpartition(b";")[0] for line in c.split(b"\r\n") if line) + b"\r\n"
        ),
        "dc",
    ),
    "renamed_column": (edit_line(1, lambda line: line.replace(b"rea", CANARY)), "rea"),
    "reordered_columns": (
        edit_line(1, lambda line: line.replace(b'"hosp";"rea"', b'"rea";"hosp"')),
        "hosp",
    ),
    "comma": (lambda c: c.replace(b";", b","), "ligne 1"),
    "latin_1": (edit_line(5, lambda line: line + " é".encode("latin-1")), "ligne 5"),
    "cut_last_line": (lambda c: c[:-9], "ligne "),
    "duplicate_key": (lambda c: c + c.split(b"\r\n")[7] + b"\r\n", "ligne "),
    "empty": (lambda _: b"", "vide"),
    "unknown_department": (
        edit_line(9, lambda line: b'"' + CANARY + b'"' + line[line.index(b";") :]),
        "ligne 9",
    ),
}
FEW = ("renamed_column", "comma", "latin_1", "empty")
DAMAGES = {name: made for name, made in ALL.items() if LONG or name in FEW}
"""Each goes a ticket's whole way; tests/property/test_epidemic_damage.py has the reader's."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, str]]]:
    """The state and the one comment of a ticket for each damage, and of one without."""
    from jira import JIRA

    folder = tmp_path_factory.mktemp("bad")
    stock, _ = generate_files(folder, seed=5, days=8)
    content = stock.read_bytes()
    with opened_world(folder / "world", None) as (world, sandbox, _):
        reviewer = Reviewer(sandbox, world)
        with world.settings.open("a", encoding="utf-8") as settings:
            for name, (damage, _) in (DAMAGES | {"sound": (bytes, "")}).items():
                file = folder / f"{name}.csv"
                file.write_bytes(damage(content))
                settings.write(
                    f'[sources.{name}]\nkind = "spf-hospital"\npath = "{file}"\n'
                    'sensitivity = "public"\n'
                )
            settings.write(
                f'[sources.gone]\nkind = "spf-hospital"\npath = "{folder / "gone.csv"}"\n'
                'sensitivity = "public"\n'
            )
        client = JIRA(
            server=sandbox.jira_url,
            token_auth=world.token("cmoreau"),
            max_retries=0,
            timeout=(5, 30),
        )
        keys = {}
        for name in (*DAMAGES, "sound", "gone"):
            ticket = DemoTicket(
                name, "cmoreau", DIRECTION, f"Fichier {name}", "", care_fields("hospital_epidemic"),
                f"source.hospital = {name}",
            )  # fmt: skip
            keys[name] = str(client.create_issue(fields=fields_of(ticket, name)).key)
        with House(load_settings(world.settings, {})) as house:
            for _ in range(3):  # a file that stays missing is told once
                assert tick_until_quiet(house).faults == {}
                reviewer.look_through(house)
            told = {}
            for name, key in keys.items():
                record = house.ledger.record(key)
                assert record is not None
                comments = [comment.body for comment in client.comments(key)]
                assert len(comments) == 1, name
                told[name] = (record.state.value, comments[0])
            mended, touched = keys["empty"], keys["comma"]
            (folder / "empty.csv").write_bytes(content)
            (folder / "comma.csv").touch()
            (folder / "gone.csv").write_bytes(content)
            for _ in range(2):
                assert tick_until_quiet(house).faults == {}
                reviewer.look_through(house)
            for came in (mended, keys["gone"]):
                after = house.ledger.record(came)
                assert after is not None
                assert after.state.value == "answered", "mended data are run without being asked"
            same = house.ledger.record(touched)
            assert same is not None
            assert (same.state.value, same.revision) == ("failed", 1), "the same data are not"
        published = sorted(path.name for path in (world.folder / "public/reports").iterdir())
        assert published == sorted(keys[name].lower() for name in ("empty", "gone", "sound"))
        yield told


@pytest.mark.parametrize("name", DAMAGES)
def test_the_ticket_names_file_and_place_and_no_value(
    name: str, answers: dict[str, tuple[str, str]]
) -> None:
    state, comment = answers[name]
    assert state == "failed"
    assert f"{name}.csv" in comment
    assert DAMAGES[name][1] in comment
    assert CANARY.decode() not in comment
    assert "Suite" in comment


def test_a_missing_file_is_told_once(answers: dict[str, tuple[str, str]]) -> None:
    state, comment = answers["gone"]
    assert state == "failed"
    assert "gone.csv" in comment


def test_the_sound_file_is_published(answers: dict[str, tuple[str, str]]) -> None:
    state, comment = answers["sound"]
    assert state == "answered"
    assert "prête" in comment


def test_the_damages_are_those_of_the_format(tmp_path: Path) -> None:
    content = generate_files(tmp_path, seed=5, days=8)[0].read_bytes()
    for damage, _ in DAMAGES.values():
        assert damage(content) != content
