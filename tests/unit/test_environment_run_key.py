"""What software a run meets, told from files alone."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
from pathlib import Path

import pytest

from wardbook import environment
from wardbook.environment import (
    describe_environment,
    describe_python,
    describe_r,
    digest_code,
    digest_of,
    keep_environment,
    kept_environment,
)


def install(folder: Path, name: str, version: str) -> Path:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    return info


def test_the_packages_are_those_that_python_itself_names() -> None:
    known = {
        re.sub(r"[-_.]+", "-", dist.name).lower(): dist.version
        for dist in reversed(list(importlib.metadata.distributions()))
    }
    told = describe_python(sys.path)
    assert told.pop("python") == ".".join(map(str, sys.version_info[:3]))
    assert told == known
    assert len(told) > 50


def test_a_package_of_another_version_is_another_environment(tmp_path: Path) -> None:
    info = install(tmp_path, "pandas", "3.0.1")
    before = describe_python([str(tmp_path)])
    info.rename(tmp_path / "pandas-3.1.0.dist-info")
    after = describe_python([str(tmp_path)])
    assert (before["pandas"], after["pandas"]) == ("3.0.1", "3.1.0")
    assert digest_of(before) != digest_of(after)


def test_the_first_on_the_path_is_the_one_that_is_imported(tmp_path: Path) -> None:
    install(tmp_path / "a", "Some_Package", "2")
    install(tmp_path / "b", "some.package", "1")
    path = [str(tmp_path / "nothing"), str(tmp_path / "a"), str(tmp_path / "b")]
    assert describe_python(path)["some-package"] == "2"
    assert describe_python(path[::-1])["some-package"] == "1"


def test_r_is_told_by_its_descriptions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_R_LIBRARIES", (str(tmp_path / "usr"),))
    for library, name, version in (
        ("usr", "base", "4.2.2"),
        ("usr", "EpiEstim", "2.2-4"),
        ("own", "EpiEstim", "2.3"),
    ):
        folder = tmp_path / library / name
        folder.mkdir(parents=True)
        (folder / "DESCRIPTION").write_text(f"Package: {name}\nTitle: É\nVersion: {version}\n")
    (tmp_path / "usr" / "no-package").mkdir()
    assert describe_r({}) == {"base": "4.2.2", "R": "4.2.2", "EpiEstim": "2.2-4"}
    assert describe_r({"R_LIBS_USER": str(tmp_path / "own")})["EpiEstim"] == "2.3"


def test_without_r_there_is_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_R_LIBRARIES", ("/nowhere",))
    assert describe_r({}) == {}
    assert set(describe_environment("ir")) == {"wardbook"}


def test_our_own_code_counts_by_its_content(tmp_path: Path, root: Path) -> None:
    package = tmp_path / "wardbook"
    shutil.copytree(root / "lib" / "wardbook", package)
    before = digest_code(package)
    assert before == digest_code(root / "lib" / "wardbook"), "neither place nor time counts"
    (package / "__pycache__").mkdir(exist_ok=True)
    (package / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    assert digest_code(package) == before
    with (package / "errors.py").open("a") as file:
        file.write("# changed\n")
    assert digest_code(package) != before


def test_an_environment_is_kept_once_and_found_by_its_digest(tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    for _ in range(2):
        digest = keep_environment(folder, {"pandas": "3.1.0", "numpy": "2.4"})
    assert [file.name for file in folder.iterdir()] == [f"{digest}.json"]
    assert kept_environment(folder, digest) == {"pandas": "3.1.0", "numpy": "2.4"}
    assert kept_environment(folder, "0" * 64) is None
