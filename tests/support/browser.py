"""Chromium without a window, driven over a pipe by the DevTools protocol: what somebody at a browser would do and see.

The page's terminal is drawn on a canvas, so its text is read from the terminal's own buffer, which a script that runs
before the page's takes hold of.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.privileges import refuse
from tests.support.waiting import wait_for

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""What the program may be called; ``.ci/run`` looks for the same."""

DEADLINE_S = 20.0

_TAKE_HOLD_OF_TERMINAL = """
Object.defineProperty(Object.prototype, "terminal", {
    configurable: true,
    set(value) {
        Object.defineProperty(this, "terminal", {value, writable: true, configurable: true, enumerable: true});
        if (value && value.buffer) window.terminalOfTest = value;
    },
});
"""
_TEXT = """
(() => {
    const terminal = window.terminalOfTest;
    if (!terminal) return document.body ? document.body.innerText : "";
    const buffer = terminal.buffer.active;
    return [...Array(terminal.rows).keys()].map(y => buffer.getLine(y)?.translateToString(true) ?? "").join("\\n");
})()
"""
_CONTROL = 2
_KEYS = {"Enter": ("\r", 13), "Escape": ("", 27), "F1": ("", 112)}


def require_browser() -> str:
    """Where chromium is; without it the running test ends: a skip with the reason, but a failure in CI."""
    path = _path()
    if path is None:
        refuse(f"not installed (package chromium): {', '.join(NAMES)}", os.environ)
    return path


@functools.cache
def _path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass
class Browser:
    """A running Chromium."""

    _commands: int
    """Descriptor to write commands to."""
    _messages: int
    """Descriptor to read answers and events from."""
    _unread: bytes = b""
    _last_id: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    """What it has told unasked, oldest first."""

    def call(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """Have the browser do something; its answer.

        Raises:
            AssertionError: it cannot, or does not answer.
        """
        self._last_id += 1
        message: dict[str, object] = {"id": self._last_id, "method": method, "params": parameters}
        os.write(self._commands, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            answer = self._next_message(deadline_s)
            if answer.get("id") == self._last_id:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _next_message(self, deadline_s: float) -> dict[str, Any]:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._messages], [], [], max(deadline_s - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            part = os.read(self._messages, 1 << 16)
            assert part, "the browser has ended"
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        parsed: dict[str, Any] = json.loads(message)
        return parsed

    def open(self, url: str, *, width: int = 1200, height: int = 800) -> Tab:
        """A new tab that shows ``url``."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, target, session)
        for domain in ("Page", "Network", "Runtime", "Log"):
            tab.call(f"{domain}.enable")
        tab.call("Page.addScriptToEvaluateOnNewDocument", source=_TAKE_HOLD_OF_TERMINAL)
        tab.resize(width, height)
        tab.call("Page.navigate", url=url)
        return tab


@dataclass(frozen=True)
class Tab:
    """One page."""

    browser: Browser
    target: str
    session: str

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Have the page do something; its answer."""
        return self.browser.call(method, self.session, **parameters)

    def evaluate(self, script: str) -> Any:
        """What a script in the page comes to."""
        return self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)["result"].get(
            "value"
        )

    @property
    def text(self) -> str:
        """What the page's terminal shows, or the page where there is none."""
        return str(self.evaluate(_TEXT))

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the page's terminal."""
        columns, rows = self.evaluate("[window.terminalOfTest.cols, window.terminalOfTest.rows]")
        return columns, rows

    def wait_for(self, condition: Callable[[str], bool] | str) -> str:
        """The text, once it fulfils a condition or holds a text."""
        accept = (lambda text: condition in text) if isinstance(condition, str) else condition
        wanted = f"the page to show {condition!r}"
        return wait_for(lambda: self.text, accept, wanted=wanted, seconds=DEADLINE_S, show=lambda text: f"\n{text}")

    def resize(self, width: int, height: int) -> None:
        """Change the window's size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def type(self, text: str) -> None:
        """Press the keys that make ``text``."""
        for char in text:
            self._press(key=char, text=char, code=ord(char.upper()) if char.isalnum() else 0)

    def press(self, key: str) -> None:
        """Press a key by its name, as DOM events have it; ``Ctrl+`` may stand before it."""
        plain = key.removeprefix("Ctrl+")
        text, code = _KEYS.get(plain, ("", ord(plain[0].upper())))
        self._press(key=plain, text=text, code=code, modifiers=_CONTROL if plain != key else 0)

    def _press(self, key: str, text: str, code: int, modifiers: int = 0) -> None:
        for kind in ("keyDown", "keyUp"):
            shown = {"text": text} if kind == "keyDown" and text else {}
            event = {"type": kind, "key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers, **shown}
            self.call("Input.dispatchKeyEvent", **event)

    def picture(self, path: Path) -> None:
        """Keep a picture of the page."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        """Close the tab, as its cross does."""
        self.browser.call("Target.closeTarget", targetId=self.target)

    def seen(self, method: str) -> list[dict[str, Any]]:
        """The parameters of all events of a kind that came from this page so far."""
        return [
            each["params"]
            for each in self.browser.events
            if each.get("method") == method and each.get("sessionId") == self.session
        ]


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A Chromium that keeps its files in ``profile``; it is ended with the block."""
    their_commands, our_commands = os.pipe()
    our_messages, their_messages = os.pipe()
    options = (
        *("--headless", "--remote-debugging-pipe", "--no-first-run", "--disable-3d-apis", "--disable-dev-shm-usage"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
        *(("--no-sandbox",) if os.geteuid() == 0 else ()),
        f"--user-data-dir={profile}",
    )
    # Chromium reads commands from descriptor 3 and writes to 4.
    moved = f'exec "$@" 3<&{their_commands} 4>&{their_messages}'
    with subprocess.Popen(
        ["bash", "-c", moved, "bash", require_browser(), *options],
        pass_fds=(their_commands, their_messages),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(their_commands)
        os.close(their_messages)
        running = Browser(our_commands, our_messages)
        try:
            yield running
        finally:
            with contextlib.suppress(AssertionError, OSError):
                running.call("Browser.close")
            os.close(our_commands)
            os.close(our_messages)
            process.wait(DEADLINE_S)
