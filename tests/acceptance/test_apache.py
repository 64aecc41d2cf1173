"""The site behind a real Apache with the configuration of `site/apache`: who may read what."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser import CHROMIUM, SWITCHES
from tests.sample_report import make_run
from wardbook.pages.build import build_site
from wardbook.pages.publish import copy_site, publish_report
from wardbook.pages.search import index_site
from wardbook.shipped import shipped_folder

APACHE, MODULES = Path("/usr/sbin/apache2"), Path("/usr/lib/apache2/modules")
USER, PASSWORD = "lecteur", "mot de passe d'essai"
NEEDED = (
    *("alias", "allowmethods", "auth_basic", "authn_core", "authn_file", "authz_core"),
    *("authz_user", "dir", "headers", "mime", "mpm_event", "autoindex"),
)

pytestmark = pytest.mark.skipif(not APACHE.exists(), reason="the Debian package apache2 is missing")


@dataclass(frozen=True)
class Server:
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(
        self, path: str, *, password: str | None = None, method: str = "GET"
    ) -> tuple[int, http.client.HTTPMessage, str]:
        headers = {}
        if password is not None:
            secret = base64.b64encode(f"{USER}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {secret}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    # Apache's own account reads it: pytest's folders are closed to everybody but us.
    folder = Path(tempfile.mkdtemp(prefix="wardbook-apache-"))
    folder.chmod(0o755)
    try:
        fill(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        (folder / "apache.conf").write_text(configure(folder, port))
        process = subprocess.Popen(
            [APACHE, "-f", folder / "apache.conf", "-D", "FOREGROUND"], stderr=subprocess.PIPE
        )
        try:
            wait_for(port, process)
            yield Server(port, folder)
        finally:
            process.terminate()
            process.wait(timeout=10)
    finally:
        shutil.rmtree(folder)


def fill(folder: Path) -> None:
    run, site = make_run(folder / "run"), folder / "site"
    publish_report(site, run.stage(unit="Unité"), "data-7", "2021-01")
    templates = {run.template.spec.name: run.template}
    about = {"templates": templates, "language": "fr", "unit": "Unité"}
    for name, path in (("public", "/"), ("internal", "/internal/")):
        build_site(site, url=f"https://data.hospital.example{path}", **about)
        index_site(site, "fr")
        copy_site(site, folder / name)
        (folder / name / ".git").mkdir()
        (folder / name / ".git" / "config").write_text("hidden")
        (folder / name / "linked.txt").symlink_to(folder / "outside.txt")
    (folder / "outside.txt").write_text("outside")
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
    (folder / "users").write_text(f"{USER}:{{SHA}}{digest}\n")


def configure(folder: Path, port: int) -> str:
    built_in = subprocess.run([APACHE, "-l"], capture_output=True, text=True, check=True).stdout
    modules = [
        f"LoadModule {name}_module {MODULES}/mod_{name}.so"
        for name in NEEDED
        if f"mod_{name}.c" not in built_in
    ]
    lines = [
        *modules,
        f"Listen 127.0.0.1:{port}",
        f"PidFile {folder}/pid",
        f"DefaultRuntimeDir {folder}",
        "ErrorLog /dev/stderr",
        "TypesConfig /etc/mime.types" if Path("/etc/mime.types").exists() else "",
        "AddType text/html .html\nAddType text/css .css\nAddType image/svg+xml .svg",
        "User www-data\nGroup www-data",
        "ServerName 127.0.0.1",
        "<Directory />\nRequire all denied\n</Directory>",
        f"Define WARDBOOK_PUBLIC {folder}/public",
        f"Define WARDBOOK_INTERNAL {folder}/internal",
        f"Define WARDBOOK_USERS {folder}/users",
        f"Include {shipped_folder('site')}/apache/wardbook.conf",
    ]
    return "\n".join(lines) + "\n"


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.terminate()
    pytest.fail(f"Apache did not start: {process.communicate()[1].decode()}")


INSIDE = ("/internal/", "/internal/index.html", "/internal/reports/data-7/2021-01/index.html")


@pytest.mark.parametrize("path", INSIDE)
def test_the_internal_site_asks_who_reads(server: Server, path: str) -> None:
    status, headers, text = server.get(path)
    assert status == 401 and headers["WWW-Authenticate"].startswith("Basic ")
    assert "Séjours" not in text
    assert server.get(path, password="wrong")[0] == 401
    status, _, text = server.get(path, password=PASSWORD)
    assert status == 200 and "Séjours" in text


def test_the_public_site_is_open(server: Server) -> None:
    for path in ("/", "/index.html", "/results/index.html", "/results/feed.atom"):
        assert server.get(path)[0] == 200, path
    assert server.get("/results/feed.atom")[1]["Content-Type"].startswith("application/atom+xml")
    assert server.get("/index.html")[1]["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/.git/config", "/.lock", "/.htaccess", "/search/.htaccess", "/reports/%2e%2e/x"],
)
def test_nothing_hidden_is_shown(server: Server, path: str) -> None:
    status, _, text = server.get(path)
    assert status == 404 and "Cette page n’existe pas" in text
    assert server.get(f"/internal{path}")[0] in (401, 404)
    assert "hidden" not in server.get(f"/internal{path}", password=PASSWORD)[2]


@pytest.mark.parametrize("path", ["/reports/", "/assets/", "/results/service/", "/linked.txt"])
def test_no_folder_is_listed_and_no_link_followed(server: Server, path: str) -> None:
    for address in (path, f"/internal{path}"):
        status, _, text = server.get(address, password=PASSWORD)
        assert status in (403, 404), address
        assert "Index of" not in text and text.strip() != "outside"


def test_nothing_can_be_written(server: Server) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert server.get("/index.html", method=method)[0] == 405


def test_apache_sends_what_the_site_says(server: Server) -> None:
    pattern = re.compile(r'Header always set ([\w-]+) "([^"]+)"')
    for folder in ("", "search/"):
        told = pattern.findall((server.folder / "public" / folder / ".htaccess").read_text())
        assert len(told) == 3
        for path in (f"/{folder}index.html", f"/internal/{folder}index.html"):
            sent = server.get(path, password=PASSWORD)[1]
            assert [(name, sent[name]) for name, _ in told] == told
    assert "wasm" not in server.get("/index.html")[1]["Content-Security-Policy"]


@pytest.mark.chromium
@pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing")
def test_the_search_works_behind_it(server: Server) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    problems: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        secret = {"username": USER, "password": PASSWORD}
        page = browser.new_context(http_credentials=secret).new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.goto(f"{server.url}/internal/")
        page.get_by_role("searchbox").fill("hygiène")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Séjours de janvier 2021").click()
        page.get_by_role("heading", level=1, name="Séjours de janvier 2021").wait_for()
        assert "/internal/reports/data-7/" in page.url
        browser.close()
    assert problems == []
