#!/usr/bin/env python3
"""Uses the development server's mail page in a real browser, as a person does, and takes pictures of it.

Starts the server with a store in memory, lets the service send mails in both languages, and hands in a hostile one the way
SES takes it. Then the page must list them, show a new one without a reload and without moving the reader, copy the code, show a
mail in light and dark and at phone width, run nothing of the hostile mail and load nothing for it, and leave nothing on the console.

Pictures go to target/mail-page/. Without Chromium nothing is tried, and that is told loudly; where $CHROMIUM names one it must be there.
"""

import argparse
import contextlib
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import urllib.parse

import browser
from cold_start import NO_PROXY, Failure, development_server
from cold_start import http as fetch

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURES = ROOT / "target/mail-page"
FRAME = "document.querySelector('.frame')"
INSIDE = f"{FRAME}.contentDocument"
# What would tell that something of the mail ran or was loaded: a title, a dialog, or a request to another server.
HOSTILE = """<!doctype html><title>Hostile</title><link rel="stylesheet" href="{there}/?sheet"><script>parent.document.title = "Taken";
document.title = "Ran"</script><img src="{there}/?picture" onerror="parent.document.title='Taken'"><img src="x" onerror="alert(1)">
<style>@import "{there}/?import"; body {{ background: url({there}/?background) }}</style><svg onload="alert(2)"></svg>
<iframe src="{there}/?frame"></iframe><meta http-equiv="refresh" content="0; url={there}/?refresh">
<form action="{there}/?form" id="form"><button>Win</button></form><a href="javascript:alert(3)">Read on</a>"""


def check(name, good, found=""):
    if not good:
        raise Failure(f"{name}: {found}" if found != "" else name)
    print(f"mail page: {name}", flush=True)


@contextlib.contextmanager
def elsewhere():
    """Another server on this machine, and the list of what it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


class Service:
    """The development server, as its clients see it."""

    def __init__(self, url):
        self.url = url

    def call(self, path, body, language="en"):
        status, answer = fetch(f"{self.url}{path}", body, {"Accept-Language": language})
        if status >= 300:
            raise Failure(f"{path} answered {status}: {answer[:300]!r}")

    def mails(self):
        return json.loads(fetch(f"{self.url}/_local/mail.json")[1])

    def register(self, name, language):
        body = {"account": name, "password": "long swordfish 9", "username": name.title(), "email": f"{name}@example.com"}
        self.call("/sproutgate/api/auth/register", body, language)
        code = self.mails()[0]["subject"][-6:]
        self.call("/sproutgate/api/auth/verify-email", {"account": name, "code": code}, language)
        return code

    def hand_in(self, subject, html):
        """A mail as the SDK hands it to SES."""
        form = {
            "Action": "SendEmail", "Source": "stranger@example.com", "Destination.ToAddresses.member.1": "anna@example.com",
            "Message.Subject.Data": subject, "Message.Body.Text.Data": html, "Message.Body.Html.Data": html,
        }
        NO_PROXY.open(f"{self.url}/_local/ses", urllib.parse.urlencode(form).encode(), timeout=10).read()


def rows(page):
    return page.ask("[...document.querySelectorAll('.row .subject')].map((one) => one.textContent)")


def shown(page):
    """Waits until the chosen mail's HTML is there."""
    page.until(f"{FRAME} && {INSIDE}?.readyState === 'complete' && {INSIDE}.URL.startsWith(location.origin)")


def colours(page):
    return page.ask(
        f"(() => {{ const style = {FRAME}.contentWindow.getComputedStyle({INSIDE}.body); "
        f"return [{FRAME}.contentWindow.matchMedia('(prefers-color-scheme: dark)').matches, style.color]; }})()"
    )


def listed(page, service):
    page.until("!document.getElementById('empty').hidden")
    check("says what to do while there is no mail", "/sproutgate/api/auth/register" in page.ask("document.getElementById('try').textContent"))
    page.picture(PICTURES / "empty.png")
    service.register("anna", "en")
    service.register("wangfang", "zh-CN")
    page.until("document.querySelectorAll('.row').length >= 2")
    subjects = [mail["subject"] for mail in service.mails()]
    check("lists the mails, newest first", rows(page) == subjects, rows(page))


def live(page, service):
    """With the oldest mail chosen and scrolled to, a new one comes in."""
    page.click(".list li:last-child .row")
    shown(page)
    was, loads = page.ask("document.getElementById('subject').textContent"), page.loads
    page.ask("void (document.querySelector('.frame').mark = 'same')")
    number = len(service.mails())
    service.call("/sproutgate/api/auth/forgot-password", {"account": "anna", "email": "anna@example.com"})
    page.until(f"document.querySelectorAll('.row').length > {number}")
    newest = service.mails()[0]["subject"]
    check("shows a new mail at the top, without a reload", rows(page)[0] == newest and page.loads == loads, rows(page))
    same = page.ask(f"[document.getElementById('subject').textContent, {FRAME}.mark, document.activeElement === document.querySelector('[aria-current=true]')]")
    check("leaves the reader at the mail and the place", same == [was, "same", True], same)
    check("announces it and counts it", page.ask("document.getElementById('said').textContent").endswith(newest) and page.ask("document.title").startswith("(1)"))


def copied(page, service):
    page.click(".list li:first-child .row")
    shown(page)
    code = service.mails()[0]["subject"][-6:]
    page.click("#copy")
    page.until("document.getElementById('copy-word').textContent === 'Copied'")
    found = page.ask("navigator.clipboard.readText()")
    check("copies the code", found == code, found)
    check("says so to screen readers", page.ask("document.getElementById('said').textContent") == f"Copied {code}")
    service.call("/sproutgate/api/auth/reset-password", {"account": "anna", "code": found, "newPassword": "another swordfish 9"})
    check("the copied code sets a new password", True)


def switched(page):
    dark, light_ink = colours(page)
    check("a mail is light at first", not dark)
    page.click("input[value=dark]")
    page.until(f"{FRAME}.contentWindow.matchMedia('(prefers-color-scheme: dark)').matches")
    dark, dark_ink = colours(page)
    check("the switch makes the mail dark", dark and dark_ink != light_ink, [light_ink, dark_ink])
    page.picture(PICTURES / "dark-desktop.png")
    page.click("input[value=phone]")
    width = page.ask(f"{FRAME}.clientWidth")
    check("phone width is 390", width == 390, width)
    fits = page.ask(f"{INSIDE}.documentElement.scrollWidth <= 390")
    check("the mail fits a phone", fits)
    page.picture(PICTURES / "dark-phone.png")
    page.click("input[value=light]")
    page.picture(PICTURES / "light-phone.png")
    page.click("input[value=text]")
    check("shows the plain text", page.ask(f"{FRAME}.hidden && !document.getElementById('plain').hidden && document.getElementById('widths').disabled"))
    page.click("input[value=html]")
    page.click("input[value=desktop]")
    page.picture(PICTURES / "light-desktop.png")


def keyboard(page):
    page.ask("document.querySelector('.row').focus()")
    page.press("ArrowDown")
    second = page.ask("document.activeElement === document.querySelectorAll('.row')[1]")
    check("arrow keys go through the list", second)


def hostile(page, service):
    with elsewhere() as (there, asked):
        before = len(page.troubles)
        service.hand_in('<script>document.title="Taken"</script> 424242', HOSTILE.format(there=there))
        page.until("document.querySelector('.row .subject').textContent.includes('424242')")
        page.click(".list li:first-child .row")
        shown(page)
        page.browser.listen(0.5)
        # A form can't be sent, and a link leads nowhere, also where somebody clicks.
        page.ask(f"{INSIDE}.querySelector('button').click()")
        page.ask(f"{INSIDE}.querySelector('a').click()")
        page.browser.listen(0.5)
        # Others that came meanwhile are counted before the word.
        titles = page.ask(f"[document.title.replace(/^[(][0-9]+[)] /, ''), {INSIDE}.title]")
        check("runs nothing of a hostile mail", titles == ["Mails", "Hostile"], titles)
        told = page.troubles[before:]
        check("opens no dialog for it", not any(one.startswith("dialog") for one in told), told)
        check("loads nothing for it", asked == [], asked)
        check("the browser tells what it blocked", any("Content Security Policy" in one or "sandboxed" in one for one in told), told)
        mail = service.mails()[0]["id"]
        alone = page.browser.open(f"{service.url}/_local/mail/{mail}/html", 800, 600)
        page.browser.listen(0.5)
        check("nor where its HTML is opened by itself", alone.ask("document.title") == "Hostile" and asked == [], asked)
        page.picture(PICTURES / "hostile.png")
        # Else nothing would show that the other server hears at all.
        alone.call("Page.navigate", url=f"{there}/by-hand")
        alone.browser.listen(0.5)
        check("while the server that it names would hear it", "/by-hand" in asked, asked)


def tried(program, server):
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.png"):
        old.unlink()
    with development_server(server) as (url, _), browser.Browser(program, "--blink-settings=preferredColorScheme=1") as chromium:
        service = Service(url)
        chromium.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"], origin=url)
        page = chromium.open(f"{url}/_local/mail", 1200, 820)
        listed(page, service)
        live(page, service)
        copied(page, service)
        switched(page)
        keyboard(page)
        check("the console is empty, and nothing was blocked", page.troubles == [], page.troubles)
        phone = chromium.open(f"{url}/_local/mail", 390, 844)
        phone.until("document.querySelectorAll('.row').length > 0")
        shown(phone)
        check("fits a phone itself", phone.ask("document.documentElement.scrollWidth") == 390)
        phone.picture(PICTURES / "page-phone.png")
        hostile(page, service)
        # Dark is the browser's own here: to pretend it from outside would also reach into the mails.
        with browser.Browser(program, "--blink-settings=preferredColorScheme=0") as other:
            night = other.open(f"{url}/_local/mail", 1200, 820)
            night.until("document.querySelectorAll('.row').length > 0")
            night.click(".list li:last-child .row")
            shown(night)
            check("a dark browser gets a dark page and dark mails", night.ask("matchMedia('(prefers-color-scheme: dark)').matches") and colours(night)[0])
            night.picture(PICTURES / "page-dark.png")
    print(f"mail page: pictures are in {PICTURES.relative_to(ROOT)}/")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="target/debug/polygate")
    options = parser.parse_args()
    program = browser.find()
    if program is None:
        why = "there is no Chromium: install it (Debian: apt-get install chromium) or name it in CHROMIUM"
        subprocess.run([ROOT / "scripts/skipped", "the mail page in a browser", why], check=True)
        return
    try:
        tried(program, ROOT / options.server)
    except (Failure, RuntimeError, OSError) as failed:
        sys.exit(f"mail page: FAILED: {failed}")


if __name__ == "__main__":
    main()
