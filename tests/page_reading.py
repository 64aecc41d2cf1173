"""What tests ask of a page of HTML: its parts, what is active in it, where its links lead."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HOSTILE = (
    "</title><script>window.fired=1</script>\r\n"
    "<img src=x onerror=window.fired=1> \"'><svg onload=window.fired=1> "
    "${window.fired=1} {{ 7*7 }} {% raw %} [x](javascript:window.fired=1) "
    "<a href='javascript:window.fired=1'>clic</a> ../../../etc/passwd /close\n# Titre"
)
_ACTIVE_TAGS = {"script", "iframe", "object", "embed", "form", "svg", "base", "style", "video"}
_VOID_TAGS = {"meta", "link", "img", "br", "hr"}
_ADDRESSES = ("href", "src", "action", "formaction", "xlink:href")


@dataclass
class Page(HTMLParser):
    """The elements of a page, in order, and its text."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self):
        super().__init__()
        self.stack: list[str] = []
        self.unbalanced: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID_TAGS:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read_page(file: Path) -> Page:
    page = Page()
    page.feed(file.read_text(encoding="utf-8"))
    page.close()
    return page


def find_active(page: Page) -> list[str]:
    """Name everything in a page that could run or load from elsewhere."""
    found = [f"<{tag}>" for tag, a in page.elements if tag in _ACTIVE_TAGS and not _is_ours(tag, a)]
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            if name.startswith("on") or name in ("style", "srcdoc"):
                found.append(f"<{tag} {name}>")
            if name in _ADDRESSES and urlsplit((value or "").strip()).scheme not in (
                ("", "http", "https", "mailto") if tag == "a" else ("",)
            ):
                found.append(f"<{tag} {name}={value}>")
    return found


def _is_ours(tag, attributes):
    """Tell whether it is a script of the site that is named by its hash."""
    ours = tag == "script" and set(attributes) == {"defer", "src", "integrity"}
    return ours and attributes["integrity"].startswith("sha256-")


def find_broken_links(public: Path, base: str = "/") -> list[str]:
    """Name every link of the pages under `public` that leads to no file or no anchor in it."""
    broken = []
    for file in sorted(public.rglob("*.html")):
        elements = [attributes for _, attributes in read_page(file).elements]
        addresses = filter(None, (one.get(name) for one in elements for name in ("href", "src")))
        broken += [
            f"{file.relative_to(public)}: {address}"
            for address in addresses
            if not urlsplit(address).scheme and not _leads_somewhere(address, file, public, base)
        ]
    return broken


def photograph(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return time of change and bytes of every file of a site, but for its lock."""
    return {
        file.relative_to(folder).as_posix(): (file.stat().st_mtime_ns, file.read_bytes())
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".lock"
    }


def _leads_somewhere(address: str, file: Path, public: Path, base: str) -> bool:
    parts = urlsplit(address)
    if parts.path.startswith(base):
        target = public / unquote(parts.path.removeprefix(base))
    else:
        target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not target.is_relative_to(public.resolve()) or not target.is_file():
        return False
    if not parts.fragment:
        return True
    return any(a.get("id") == parts.fragment for _, a in read_page(target).elements)
