"""The rules for templates: one that was just begun holds to them, and each breach is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli.main import REFUSED
from pipelines.cli.template import template as command
from wardbook.template.beginning import CannotBegin, begin_template
from wardbook.template.rules import find_breaches
from wardbook.template.spec import load_template

Edit = Callable[[Path], None]


def swap(file: str, old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def change_cell(**changes: object) -> Edit:
    def edit(folder: Path) -> None:
        notebook = json.loads((folder / "notebook.ipynb").read_text(encoding="utf-8"))
        notebook["cells"][0] |= changes
        (folder / "notebook.ipynb").write_text(json.dumps(notebook), encoding="utf-8")

    return edit


def test_a_begun_template_holds_to_the_rules(tmp_path: Path) -> None:
    begun = begin_template("tube_breakage", tmp_path)
    assert list(find_breaches(begun)) == []
    assert "NAME" not in "".join(
        file.read_text(encoding="utf-8") for file in begun.folder.rglob("*") if file.is_file()
    )


@pytest.mark.parametrize(
    ("edit", "file", "told"),
    [
        (swap("texts.toml", "\n[en]\nanswer =", "\n[en]\nother ="), "texts.toml", "answer: stands"),
        (swap("texts.toml", "du {start}", "du"), "texts.toml", "answer: the languages differ"),
        (swap("texts.toml", "période, par", "période : par"), "texts.toml", "'période :'"),
        (swap("template.toml", "période\u00a0?", "période ?"), "template.toml", "'période ?'"),
        (swap("notebook.ipynb", "limits", "bounds"), "texts.toml", "bounds: the notebook asks"),
        (swap("notebook.ipynb", "limits", "bounds"), "texts.toml", "limits: the notebook does not"),
        (change_cell(outputs=[{}]), "notebook.ipynb", "cell 1 holds outputs"),
        (change_cell(metadata={"tags": []}), "notebook.ipynb", "cell 1 has metadata"),
        (change_cell(source="import wardbook as wb\nimport os"), "notebook.ipynb", "import os"),
        (change_cell(source="print(1)"), "notebook.ipynb", "print()"),
        (change_cell(source="a ="), "notebook.ipynb", "line 1 of its code"),
        (swap("notebook.ipynb", '\\"by_ward\\",', '\\"x\\",'), "notebook.ipynb", "by_ward is decl"),
        (swap("notebook.ipynb", '"python3"', '"ir"'), "notebook.ipynb", "its kernel is not"),
        (swap("README.md", "`start`", "start"), "README.md", "does not name `start`"),
        (swap("README.md", "`tests/", "`"), "README.md", "no section Tests"),
        (swap("README.md", "# tube", "# other tube"), "README.md", "must be there"),
        (swap("methods.toml", 'columns = ["patients"]', ""), "methods.toml", "column of by_ward"),
        (swap("template.toml", "2026-01-05", "5 janvier"), "template.toml", "an example"),
    ],
)
def test_each_breach_is_named(tmp_path: Path, edit: Edit, file: str, told: str) -> None:
    begun = begin_template("tube_breakage", tmp_path)
    edit(begun.folder)
    found = [(one.file, one.what) for one in find_breaches(load_template(begun.folder))]
    assert any(told in what for where, what in found if where == file), found


def test_a_changed_test_is_no_new_version_of_a_template(tmp_path: Path) -> None:
    begun = begin_template("tube_breakage", tmp_path)
    before = begun.digest
    (begun.folder / "tests/test_tube_breakage.py").write_text("", encoding="utf-8")
    assert load_template(begun.folder).digest == before
    swap("texts.toml", "différents", "distincts")(begun.folder)
    assert load_template(begun.folder).digest != before


@pytest.mark.parametrize("name", ["Tubes", "1tube", "tubes-cassés", "", "../tubes"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotBegin):
        begin_template(name, tmp_path / "catalogue")
    assert not (tmp_path / "catalogue").exists()


def test_a_template_that_is_there_stays(tmp_path: Path) -> None:
    begin_template("tubes", tmp_path)
    swap("texts.toml", "différents", "distincts")(tmp_path / "tubes")
    made = CliRunner().invoke(
        command, ["new", "tubes", "--folder", str(tmp_path)], standalone_mode=False
    )
    assert made.return_value == REFUSED
    assert "is there already" in made.output
    assert "distincts" in (tmp_path / "tubes/texts.toml").read_text(encoding="utf-8")


def test_the_command_names_breaches_and_fails(tmp_path: Path) -> None:
    begin_template("tubes", tmp_path)
    asked = ["check", "--templates", str(tmp_path)]
    assert CliRunner().invoke(command, asked, standalone_mode=False).return_value == 0
    swap("README.md", "`start`", "start")(tmp_path / "tubes")
    told = CliRunner().invoke(command, asked, standalone_mode=False)
    assert told.return_value == REFUSED
    assert "README.md: does not name `start`" in told.output
