"""What somebody at a browser sees and does, in a real one."""

import http.server
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Browser, Tab, browser
from tests.support.serving import Served, served, wait_for_end
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all tests; each opens tabs of its own."""
    with browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


def peers(text: str) -> list[str]:
    """The first cells of the rows in the table."""
    return re.findall(r"│ (\d+\.\d+\.\d+\.\d+|::) ", text)


def complaints(tab: Tab) -> list[str]:
    """What the browser holds against the page, but for its remark on how it draws without a graphics card."""
    logged = [each["entry"] for each in tab.seen("Log.entryAdded")]
    thrown = [str(each) for each in tab.seen("Runtime.exceptionThrown")]
    return [each["text"] for each in logged if each["source"] != "rendering"] + thrown


def test_a_filter_is_typed_and_rows_are_seen(chromium: Browser, server: Served) -> None:
    tab = chromium.open(server.url)
    text = tab.wait_for("● live")
    assert "5,8" in text
    assert len(peers(text)) > 10
    tab.type("/dst 10.1.7.2")
    tab.wait_for(lambda text: peers(text) == ["10.1.7.2"])
    tab.press("Enter")
    tab.wait_for("filter: dst 10.1.7.2")
    tab.press("Escape")
    tab.wait_for(lambda text: len(peers(text)) > 10 and "filter:" not in text)
    assert complaints(tab) == []
    tab.close()


def test_the_page_asks_nobody_but_the_server_and_hides_the_token(chromium: Browser, server: Served) -> None:
    tab = chromium.open(server.url)
    tab.wait_for("● live")
    asked = [each["request"]["url"] for each in tab.seen("Network.requestWillBeSent")]
    asked += [each["url"] for each in tab.seen("Network.webSocketCreated")]
    assert {url.split("/")[2] for url in asked} == {server.host}
    assert any(url.endswith(".ttf") for url in asked)
    assert [each for each in tab.seen("Network.loadingFailed") if not each.get("canceled")] == []
    assert tab.evaluate("location.href") == f"http://{server.host}/"
    assert tab.evaluate("document.cookie") == ""
    tab.call("Page.reload")
    tab.wait_for("● live")
    tab.close()


def test_the_screen_is_as_large_as_the_window(chromium: Browser, server: Served) -> None:
    tab = chromium.open(server.url, width=820, height=520)
    tab.wait_for("● live")
    small = tab.size
    tab.resize(1800, 1100)
    tab.wait_for(lambda text: tab.size[0] > 2 * small[0] and text.count("╭") > 3)
    columns, rows = tab.size
    assert max(len(line) for line in tab.text.splitlines()) == columns
    assert len(tab.text.splitlines()) == rows
    tab.close()


def test_without_the_token_there_is_a_line_of_text(chromium: Browser, server: Served) -> None:
    other = f"http://localhost:{server.port}"  # where no cookie has been left
    for url in (f"{other}/", f"{other}/?token=x", f"{other}/static/js/textual.js", f"{other}/ws"):
        tab = chromium.open(url)
        assert tab.wait_for(bool).startswith("The token is missing or wrong")
        assert tab.evaluate("document.querySelectorAll('script, canvas, div').length") == 0
        tab.close()
    assert server.get("/", {"Host": f"localhost:{server.port}"}).status == 403


_STEAL = """
new Promise(told => {{
    const socket = new WebSocket("ws://{host}/ws?width=80&height=24");
    socket.onmessage = () => told("seen");
    socket.onclose = () => told("refused");
}})
"""


@pytest.fixture
def other_site(tmp_path: Path) -> Iterator[str]:
    """A page of somebody else on another port, which is the same site, so that a browser sends our cookie along."""
    (tmp_path / "index.html").write_text("<p>another page</p>")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, format: str, *arguments: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()
        thread.join()


def test_another_page_sees_nothing_although_the_browser_has_the_cookie(
    chromium: Browser, server: Served, other_site: str
) -> None:
    ours = chromium.open(server.url)
    ours.wait_for("● live")
    theirs = chromium.open(other_site)
    theirs.wait_for("another page")
    assert theirs.evaluate(_STEAL.format(host=server.host)) == "refused"
    assert ours.evaluate(_STEAL.format(host=server.host)) == "seen"
    for tab in (ours, theirs):
        tab.close()


def test_what_is_saved_is_downloaded_and_nothing_is_written_on_the_server(chromium: Browser, tmp_path: Path) -> None:
    downloads, folder = tmp_path / "downloads", tmp_path / "server"
    folder.mkdir()
    chromium.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
    with served("--demo", "leak", folder=folder) as server:
        tab = chromium.open(server.url)
        tab.wait_for("● live")
        tab.type("w")
        tab.wait_for("save to:")
        tab.press("Enter")
        tab.wait_for("saved tcptui-")
        (name,) = wait_for(lambda: _finished(downloads), lambda names: len(names) == 1, wanted="a file")
        assert re.fullmatch(r"tcptui-[\w.-]+\.txt", name)
        assert "10.1.7.1" in (downloads / name).read_text("utf-8")
        tab.press("Ctrl+z")
        tab.wait_for("nothing to suspend")
        tab.press("F1")
        tab.wait_for("what is saved is downloaded")
        tab.close()
    assert os.listdir(folder) == []


def _finished(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if not name.endswith(".crdownload")] if folder.is_dir() else []


def test_a_closed_tab_ends_its_process_and_an_ended_screen_can_be_started_again(chromium: Browser) -> None:
    with served("--demo", "leak") as server:
        tab = chromium.open(server.url)
        tab.wait_for("● live")
        (first,) = server.wait_for_children(1)
        tab.type("q")
        wait_for(lambda: _is_visible(tab, ".ended"), bool, wanted="the page to say that the screen has ended")
        wait_for_end(first)
        tab.evaluate("document.querySelector('.ended a').click()")
        tab.wait_for("● live")
        (second,) = server.wait_for_children(1)
        tab.close()
        wait_for_end(second)


def _is_visible(tab: Tab, selector: str) -> bool:
    return bool(tab.evaluate(f"getComputedStyle(document.querySelector('{selector}')).display != 'none'"))
