"""The state of the requests on the site."""

from tests.page_reading import find_broken_links, read_page
from wardbook.domain.states import State
from wardbook.messages import say
from wardbook.pages.build import build_site
from wardbook.pages.requests import RequestLine, group_by_state


def lines():
    return [
        RequestLine("DATA-1", "Séjours", State.ANSWERED, "2026-01-03"),
        RequestLine("DATA-2", "", State.REFUSED, "2026-01-04"),
        RequestLine("DATA-3", "Séjours", State.ANSWERED, "2026-01-05", "results/index.html"),
    ]


def test_requests_are_shown_by_state_the_newest_first():
    groups = group_by_state(lines())
    assert [(group.state, [one.key for one in group.lines]) for group in groups] == [
        (State.REFUSED, ["DATA-2"]),
        (State.ANSWERED, ["DATA-3", "DATA-1"]),
    ]


def test_every_state_has_words():
    for state in State:
        assert say("fr", f"site.state_{state}") != say("en", f"site.state_{state}")


def test_the_page_is_there_only_where_the_site_tells_of_requests(tmp_path):
    about = {"templates": {}, "language": "fr", "unit": "Unité"}
    build_site(tmp_path, requests=lines(), **about)
    page = read_page(tmp_path / "requests" / "index.html")
    assert all(one.key in page.text for one in lines())
    assert "requests/index.html" in str(read_page(tmp_path / "index.html").all("a"))
    assert find_broken_links(tmp_path) == []
    build_site(tmp_path, requests=None, **about)
    assert not (tmp_path / "requests" / "index.html").exists()
    assert "requests/index.html" not in str(read_page(tmp_path / "index.html").all("a"))
