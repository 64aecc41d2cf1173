"""The teaching notebooks run from the first cell to the last, and are kept without outputs.

The pages among them (`notebooks/*.md`) are executed once, where the whole site is built
(tests/acceptance/test_whole_site.py); here is only that a broken one would stop that build.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from wardbook.pages import docs, docs_sources

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs(file: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    assert last.execution_count


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_is_kept_without_outputs(file: Path) -> None:
    for cell in nbformat.read(file, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_a_page_whose_code_fails_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gather(*about: object) -> Iterator[tuple[str, bytes]]:
        for name, content in docs_sources.gather_sources({}, "fr", "Unité"):
            if name == "conf.py" or name.startswith("_"):
                yield name, content
        yield "index.md", b"# Apprendre\n\n```{toctree}\nbroken\n```\n"
        head = b"---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
        yield "broken.md", head + b"# Page\n\n```{code-cell} python\n1 / 0\n```\n"

    monkeypatch.setattr(docs, "gather_sources", gather)
    about = {"templates": {}, "language": "fr", "unit": "Unité"}
    with pytest.raises(docs.DocsFault, match=r"broken\.md.*failed"):
        docs.build_docs(tmp_path / "public", cache=tmp_path / "cache", **about)
    assert not (tmp_path / "public/docs").exists()
