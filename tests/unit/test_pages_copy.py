"""The whole site is copied for GitLab Pages, and nothing but the site."""

import pytest

from tests.sample_report import make_run
from wardbook.pages.build import build_site
from wardbook.pages.publish import copy_site, publish_report
from wardbook.report.problem import ReportProblem


@pytest.fixture
def public(tmp_path):
    public = tmp_path / "site"
    run = make_run(tmp_path)
    publish_report(public, run.stage(), "data-7", "2021-01")
    build_site(public, templates={}, language="fr", unit="Unité")
    (public / "reports" / ".data-8.part").mkdir()
    (public / "reports" / ".data-8.part" / "index.html").write_text("half")
    return public


def read_all(folder):
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_the_copy_is_the_site_without_what_is_hidden(public, tmp_path):
    copy_site(public, tmp_path / "copy")
    site, copy = read_all(public), read_all(tmp_path / "copy")
    assert set(site) - set(copy) == {".lock", "reports/.data-8.part/index.html"}
    assert copy.items() <= site.items()
    assert "reports/data-7/2021-01/index.html" in copy


def test_a_link_in_the_site_is_not_followed(public, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (public / "reports" / "data-7" / "link.html").symlink_to(secret)
    with pytest.raises(ReportProblem, match="plain files only"):
        copy_site(public, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_folder_that_stands_is_not_mixed_with_the_copy(public, tmp_path):
    (tmp_path / "copy").mkdir()
    with pytest.raises(ReportProblem, match="exists already"):
        copy_site(public, tmp_path / "copy")
