"""Looks for what warnings cannot see in the built site: ``python docs/check_site.py`` after ``make docs``.

In the pages: methods that their reference page does not list, images and pages that are missing, references that lead
nowhere, initials that became numbered lists, reference pages without a link to the user guide or to an example. In a
browser, at the widths of a small screen and of half a large one: formulas, code and tables that are wider than their
column, a header of two lines, empty sidebars.

The second part needs Chromium (``apt-get install chromium``, or any Chrome whose path is in ``$CHROMIUM``); without
one it says NOT RUN.
"""

from __future__ import annotations

import functools
import http.server
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import inventories
import reference

DOCS = Path(__file__).parent
SITE = DOCS / "_build" / "html"
WIDTHS = (1300, 800)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"),
)
MADE_BY_SPHINX = ("genindex.html", "search.html")
# a path draws itself and is made by a function, and versions are no example
WITHOUT_EXAMPLES = (
    "sklearn_losses.RegularizationPath",
    "sklearn_losses.RegularizationPathDisplay",
    "sklearn_losses.show_versions",
)


class Page(HTMLParser):
    """What a page contains, as far as the checks ask."""

    def __init__(self, file: Path):
        super().__init__()
        self.file = file
        self.name = file.relative_to(SITE).as_posix()
        self.ids: set[str] = set()
        self.images: list[str] = []
        self.links: list[str] = []
        self.dead: list[str] = []  # texts of references without a link
        self.lists_of_letters = 0
        self._open: list[tuple[str, bool]] = []  # tag, and whether it is a link
        self._reference: list[str] | None = None
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Collect what the tag says."""
        found = {name: value or "" for name, value in attrs}
        classes = found.get("class", "").split()
        self.ids.update(found.get("id", "").split())
        if tag == "img":
            self.images += [found.get("src", ""), *re.findall(r"(\S+) +[\d.]+[wx]", found.get("srcset", ""))]
        if tag == "a":
            self.links.append(found.get("href", ""))
        if tag == "ol" and {"upperalpha", "upperroman", "loweralpha", "lowerroman"} & set(classes):
            self.lists_of_letters += 1
        if tag == "code" and {"xref", "py"} <= set(classes) and not any(link for _, link in self._open):
            self._reference = []
        if tag not in ("img", "br", "hr", "input", "meta", "link", "source", "wbr", "col"):
            self._open.append((tag, tag == "a"))

    def handle_endtag(self, tag):
        """Close it, with whatever was left open inside."""
        if tag == "code" and self._reference is not None:
            self.dead.append("".join(self._reference))
            self._reference = None
        while self._open:
            closed, _ = self._open.pop()
            if closed == tag:
                break

    def handle_data(self, data):
        """Text of a reference that has no link."""
        if self._reference is not None:
            self._reference.append(data)


def in_the_pages(pages: dict[str, Page]) -> list[str]:
    """Every fault that the pages show without a browser."""
    faults = []
    for page in pages.values():
        faults += [f"{page.name}: no image {source}" for source in page.images if not _exists(page, source, pages)]
        faults += [f"{page.name}: no page {target}" for target in page.links if not _exists(page, target, pages)]
        faults += [f"{page.name}: {text!r} refers to nothing" for text in page.dead]
        if page.lists_of_letters and page.name not in MADE_BY_SPHINX:
            faults.append(f"{page.name}: an initial became a numbered list")
    return faults


def _exists(page: Page, target: str, pages: dict[str, Page]) -> bool:
    """Whether a link or an image leads somewhere, if it leads into the site."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or target in ("", "#"):
        return True
    file = (page.file.parent / unquote(parts.path)).resolve() if parts.path else page.file
    if not file.exists():
        return False
    found = pages.get(file.relative_to(SITE).as_posix()) if file.is_relative_to(SITE) else None
    return not parts.fragment or found is None or unquote(parts.fragment) in found.ids


def in_the_reference(pages: dict[str, Page]) -> list[str]:
    """Methods, guide links and examples that a reference page should have and has not."""
    faults = []
    guide = (DOCS / "user_guide.rst").read_text(encoding="utf-8")
    guide_pages = {f"{name}.html" for name in re.findall(r"^   (\w+)$", guide, flags=re.MULTILINE)}
    for name, found in reference.public_objects().items():
        page = pages.get(f"generated/{name}.html")
        if page is None:
            faults.append(f"{name} has no page")
            continue
        methods = reference.public_methods(found) if inspect.isclass(found) else []
        faults += [f"{page.name}: no {method}" for method in methods if f"{name}.{method}" not in page.ids]
        targets = {urlsplit(link).path.rpartition("/")[2] for link in page.links}
        if not targets & guide_pages:
            faults.append(f"{page.name}: no link to the user guide")
        shown = any("auto_examples/plot_" in link for link in page.links)
        if name.count(".") == 1 and name not in WITHOUT_EXAMPLES and not shown:
            faults.append(f"{page.name}: no example uses it")
    return faults


def in_a_browser(browser: str, pages: dict[str, Page], width: int) -> list[str]:
    """Every fault that shows when the pages are laid out."""
    answer: dict[str, list[str]] = {}
    answered = threading.Event()
    script = (DOCS / "measure.js").read_text(encoding="utf-8").replace("PAGES", json.dumps(sorted(pages)))
    frame = f'<iframe style="border: 0; width: {width}px; height: 1000px"></iframe>'
    start = f"<!doctype html><body style='margin: 0'>{frame}<script>{script}</script></body>".encode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            if self.path != "/measure":
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(start)

        def do_POST(self):
            answer.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            answered.set()

    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(SITE))) as server,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        process = subprocess.Popen(
            [
                browser,
                *OPTIONS,
                f"--user-data-dir={profile}",
                f"--window-size={width + 100},1000",
                f"http://127.0.0.1:{server.server_port}/measure",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        in_time = answered.wait(timeout=600)
        process.terminate()
        process.wait()
        server.shutdown()
    if not in_time:
        return ["the browser did not answer within ten minutes"]
    return [f"{page}: {fault}" for page, faults in answer.items() for fault in faults]


def find_browser() -> str | None:
    """Chromium or a relative of it, or None."""
    named = os.environ.get("CHROMIUM")
    return next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None)


def main() -> int:
    """Print every fault; zero if there is none."""
    pages = {page.name: page for page in map(Page, sorted(SITE.rglob("*.html"))) if not page.name.startswith("_")}
    if not pages:
        print(f"There is no site in {SITE.name}: run make docs.")
        return 1
    faults = in_the_pages(pages) + in_the_reference(pages)
    faults += [f"inventories: {name} is not up to date" for name in inventories.stale()]
    print(f"{len(pages)} pages read.")
    browser = find_browser()
    if browser:
        for width in WIDTHS:
            faults += [f"{fault}, at {width} pixels" for fault in in_a_browser(browser, pages, width)]
        print(f"{len(pages)} pages laid out, {' and '.join(map(str, WIDTHS))} pixels wide.")
    else:
        print("NOT RUN: the check of the layout, for want of a browser: apt-get install chromium, or set CHROMIUM.")
    for fault in faults:
        print(f"  {fault}")
    print(f"{len(faults)} faults." if faults else "No faults.")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
