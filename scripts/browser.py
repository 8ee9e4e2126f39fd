"""Drives Chromium by its DevTools protocol over a pipe, with what Python has: enough to look at a page and use it.

`find()` names the browser, or None where there is none. A `Browser` is one headless Chromium with a profile of its own, a `Page` is
one tab, which keeps what went wrong in `troubles` and the
number of times it was loaded in `loads`.
"""

import base64
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
PATIENCE = 20


def find():
    """The browser to use: $CHROMIUM, or the first that is on PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    def __init__(self, program, *arguments):
        self.profile = tempfile.TemporaryDirectory(prefix="polygate-browser-", ignore_cleanup_errors=True)
        theirs_in, self.out = os.pipe()
        self.inn, theirs_out = os.pipe()
        # Chromium reads commands from 3 and writes answers to 4. A shell puts them there: descriptors of Python would collide.
        wiring = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        command = [
            program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", "--no-first-run",
            "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", *arguments,
        ]
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        self.log = open(pathlib.Path(self.profile.name, "log"), "wb")
        self.process = subprocess.Popen(
            ["bash", "-c", wiring, "bash", *command], pass_fds=(theirs_in, theirs_out), stdout=self.log, stderr=self.log
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.numbers = itertools.count(1)
        self.buffer = b""
        self.pages = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self.process.wait(PATIENCE)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.inn)
        self.log.close()
        self.profile.cleanup()

    def call(self, method, session=None, **params):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self._next(deadline)
            if answer is not None and answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
        raise RuntimeError(f"{method}: no answer within {PATIENCE} s")

    def listen(self, seconds):
        """Takes in what the browser tells, for some time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._next(deadline)

    def _next(self, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.inn], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                return None
            read = os.read(self.inn, 1 << 20)
            if not read:
                told = pathlib.Path(self.log.name).read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"the browser ended\n{told[-2000:]}")
            self.buffer += read
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        if "id" not in message and message.get("sessionId") in self.pages:
            self.pages[message["sessionId"]].heard(message["method"], message["params"])
        return message

    def open(self, url, width, height):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setFocusEmulationEnabled", enabled=True)
        page.resize(width, height)
        page.call("Page.navigate", url=url)
        page.until("document.readyState === 'complete'")
        return page


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        self.troubles, self.loads = [], 0

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def heard(self, method, params):
        if method == "Page.loadEventFired":
            self.loads += 1
        elif method == "Log.entryAdded":
            self.troubles.append(f"{params['entry']['source']}: {params['entry']['text']}")
        elif method == "Runtime.exceptionThrown":
            self.troubles.append(json.dumps(params["exceptionDetails"])[:400])
        elif method == "Runtime.consoleAPICalled":
            self.troubles.append(f"console: {json.dumps(params['args'])[:400]}")
        elif method == "Page.javascriptDialogOpening":
            self.troubles.append(f"dialog: {params['message']}")
            # Not awaited: this is called from within another call.
            os.write(self.browser.out, json.dumps({
                "id": next(self.browser.numbers), "method": "Page.handleJavaScriptDialog", "params": {"accept": False},
                "sessionId": self.session,
            }).encode() + b"\0")

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def ask(self, expression):
        """The value of an expression of JavaScript, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def until(self, expression):
        """Waits for an expression to be true."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.ask(expression):
                return
            self.browser.listen(0.05)
        raise RuntimeError(f"never true: {expression}")

    def click(self, selector):
        """Clicks as a person does: where the element is, whatever lies above it."""
        x, y = self.ask(
            f"(() => {{ const element = document.querySelector({json.dumps(selector)}); element.scrollIntoView({{block: 'center'}});"
            " const box = element.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def picture(self, path, whole=False):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))
