"""The site on this machine."""

import http.client
import re
import socket
from urllib.parse import urlsplit

import pytest

from wardbook.pages.build import build_site
from wardbook.pages.serve import serve_site
from wardbook.report.layout import site_scripts
from wardbook.report.policy import headers_with, page_policy


@pytest.fixture
def public(tmp_path):
    public = tmp_path / "public"
    (public / "tables").mkdir(parents=True)
    (public / "reports").mkdir()
    (public / ".git").mkdir()
    files = {
        "index.html": "<p>accueil",
        "404.html": "<p>rien ici",
        "tables/t.csv": "a\n1\n",
        "mark.svg": "<svg/>",
        "report.json": "{}",
        ".lock": "",
        ".git/config": "secret",
    }
    for name, content in files.items():
        (public / name).write_text(content)
    (tmp_path / "secret.txt").write_text("secret")
    (public / "out.txt").symlink_to(tmp_path / "secret.txt")
    return public


def get(url, path, method="GET"):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/tables/t.csv", "text/csv; charset=utf-8"),
        ("/mark.svg", "image/svg+xml"),
        ("/report.json", "application/json"),
    ],
)
def test_files_come_with_their_type_and_a_policy(public, path, kind):
    with serve_site(public, 0) as server:
        status, headers, _ = get(server.url, path)
    assert (status, headers["Content-Type"]) == (200, kind)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/reports/",
        "/reports",
        "/tables/",
        "/.lock",
        "/.git/config",
        "/out.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/tables/..%2f..%2fsecret.txt",
    ],
)
def test_nothing_else_is_shown(public, path):
    with serve_site(public, 0) as server:
        status, _, text = get(server.url, path)
        if status == 301:
            status, _, text = get(server.url, path + "/")
        assert get(server.url, path, "HEAD")[2] == ""
    assert (status, text) == (404, "<p>rien ici")


def test_the_server_listens_on_this_machine_only_and_frees_its_port(public):
    server = serve_site(public, 0)
    server.start()
    port = urlsplit(server.url).port
    assert server._server.server_address[0] == "127.0.0.1"
    with pytest.raises(OSError):
        serve_site(public, port)
    server.stop()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_server_that_never_started_can_be_stopped(public):
    serve_site(public, 0).stop()


def test_apache_sends_the_same_headers_as_our_own_server(tmp_path):
    build_site(tmp_path / "site", templates={}, language="fr", unit="Unité")
    lines = (tmp_path / "site" / ".htaccess").read_text().splitlines()
    pattern = re.compile(r'Header always set ([\w-]+) "([^"]+)"')
    told = [found.groups() for found in map(pattern.fullmatch, lines) if found]
    assert tuple(told) == headers_with(page_policy(site_scripts().values()))
    with serve_site(tmp_path / "site", 0) as server:
        _, sent, _ = get(server.url, "/")
        assert all(sent[name] == value for name, value in told)
    assert dict(told)["Content-Security-Policy"].startswith("default-src 'none'")
