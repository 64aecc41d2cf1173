"""A staged folder becomes part of the site once, wholly or not at all."""

import shutil

import pytest

from tests.page_reading import photograph
from tests.sample_report import TEMPLATE, make_run, make_template
from wardbook.pages import publish
from wardbook.pages.publish import publish_report
from wardbook.report.problem import ReportProblem


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


@pytest.fixture
def public(tmp_path):
    return tmp_path / "public"


def test_a_published_report_is_the_staged_one_readable_by_a_web_server(run, public):
    staged = run.stage()
    folder = publish_report(public, staged, "data-7", "2021-01")
    assert folder == public / "reports" / "data-7" / "2021-01"
    contents = [{n: b for n, (_, b) in photograph(f).items()} for f in (staged, folder)]
    assert contents[0] == contents[1]
    assert (folder.stat().st_mode & 0o777) == 0o755
    assert {file.stat().st_mode & 0o777 for file in folder.rglob("*.*")} == {0o644}


def test_the_same_content_published_again_changes_nothing(run, public):
    staged = run.stage()
    folder = publish_report(public, staged, "data-7", "2021-01")
    before = photograph(public)
    assert publish_report(public, staged, "data-7", "2021-01") == folder
    assert photograph(public) == before


@pytest.mark.parametrize("change", ["another byte", "one file more", "one file less"])
def test_other_content_under_the_same_edition_is_refused(run, public, change):
    staged = run.stage()
    publish_report(public, staged, "data-7", "2021-01")
    before = photograph(public)
    if change == "another byte":
        (staged / "index.html").write_text("other")
    elif change == "one file more":
        (staged / "more.txt").write_text("x")
    else:
        (staged / "tables" / "stays.csv").unlink()
    with pytest.raises(ReportProblem, match="data-7/2021-01: published already"):
        publish_report(public, staged, "data-7", "2021-01")
    assert photograph(public) == before
    publish_report(public, staged, "data-7", "2021-02")


@pytest.mark.parametrize("name", ["index.html", "report.json", "receipt.json"])
def test_a_folder_that_lacks_a_file_is_refused(run, public, name):
    staged = run.stage()
    (staged / name).unlink()
    with pytest.raises(ReportProblem, match=f"{name}: missing"):
        publish_report(public, staged, "data-7", "2021-01")
    assert not public.exists()


def test_a_broken_card_is_refused(run, public):
    staged = run.stage()
    (staged / "report.json").write_text('{"title": 1}')
    with pytest.raises(ReportProblem, match="not an index card"):
        publish_report(public, staged, "data-7", "2021-01")


def test_a_sensitive_report_never_goes_on_the_site(run, public, tmp_path):
    declared = 'sensitivity = "public"\nchannel = "site"'
    sensitive = TEMPLATE.replace(declared, 'sensitivity = "sensitive"\nchannel = "share"', 1)
    run.template = make_template(tmp_path / "other", sensitive)
    with pytest.raises(ReportProblem, match="sensitive report never"):
        publish_report(public, run.stage(), "data-7", "2021-01")
    assert not public.exists()


def test_a_link_in_the_staged_folder_is_refused(run, public, tmp_path):
    staged = run.stage()
    (tmp_path / "secret").write_text("secret")
    (staged / "tables" / "more.csv").symlink_to(tmp_path / "secret")
    with pytest.raises(ReportProblem, match="plain files only"):
        publish_report(public, staged, "data-7", "2021-01")


def test_a_crash_in_the_last_copy_leaves_nothing(run, public, monkeypatch):
    staged = run.stage()
    copied = []

    def break_at_the_last(source, target):
        if len(copied) == len(photograph(staged)) - 1:
            raise OSError("disk full")
        copied.append(target)
        target.write_bytes(source.read_bytes())

    monkeypatch.setattr(publish.shutil, "copyfile", break_at_the_last)
    with pytest.raises(OSError, match="disk full"):
        publish_report(public, staged, "data-7", "2021-01")
    assert len(copied) == 4
    assert photograph(public) == {}
    assert not any((public / "reports" / "data-7").iterdir())
    monkeypatch.undo()
    publish_report(public, staged, "data-7", "2021-01")


def test_what_a_killed_process_left_is_swept(run, public):
    staged = run.stage()
    half = public / "reports" / "data-7" / ".2021-01.abc.part"
    half.mkdir(parents=True)
    shutil.copy(staged / "index.html", half)
    publish_report(public, staged, "data-7", "2021-01")
    assert [folder.name for folder in half.parent.iterdir()] == ["2021-01"]
