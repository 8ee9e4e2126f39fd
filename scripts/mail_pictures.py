#!/usr/bin/env python3
"""Takes pictures of every mail, for people to look at: both languages, light and dark, at phone and desktop width.

The mails are those of the reviewed snapshots (shared/src/identity/mails/snapshots/), as `cargo test` writes them. Pictures and
one contact sheet for each language, colour scheme and width go to target/mail-pictures/. A mail that is wider than the screen, or
that asks for anything remote, fails.
"""

import argparse
import pathlib
import sys
import tempfile

import browser

ROOT = pathlib.Path(__file__).resolve().parent.parent
SNAPSHOTS = ROOT / "shared/src/identity/mails/snapshots"
PICTURES = ROOT / "target/mail-pictures"
PREFIX = "polygate_shared__identity__mails__tests__"
WIDTHS = {"phone": 390, "desktop": 760}


def mails():
    """Name and HTML of each mail."""
    for snapshot in sorted(SNAPSHOTS.glob(f"{PREFIX}??_*.snap")):
        text = snapshot.read_text(encoding="utf-8")
        yield snapshot.stem.removeprefix(PREFIX), text[text.index("<!doctype html>"):]


def emulate(page, scheme):
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


def take(chromium, name, file, scheme, width):
    page = chromium.open(file.as_uri(), width, 400)
    emulate(page, scheme)
    wide, high = page.ask("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    if wide > width:
        raise RuntimeError(f"{name} is {wide} wide on {width}")
    remote = page.ask("performance.getEntriesByType('resource').map((one) => one.name)")
    if remote or page.troubles:
        raise RuntimeError(f"{name}: {remote} {page.troubles}")
    page.resize(width, high)
    path = PICTURES / f"{name}-{scheme}-{width}.png"
    page.picture(path)
    page.call("Page.close")
    return path


def sheet(chromium, folder, name, pictures, width, columns):
    cells = "".join(f'<figure><img src="{path.as_uri()}" width="{width // 2}"><figcaption>{path.stem}</figcaption></figure>' for path in pictures)
    file = folder / "sheet.html"
    file.write_text(
        f'<!doctype html><meta charset="utf-8"><style>body{{margin:8px;font:12px sans-serif;background:#888;display:grid;'
        f"grid-template-columns:repeat({columns},{width // 2}px);gap:8px}}figure{{margin:0}}figcaption{{color:#fff;overflow-wrap:anywhere}}</style>{cells}",
        encoding="utf-8",
    )
    page = chromium.open(file.as_uri(), columns * (width // 2 + 8) + 24, 400)
    page.until("[...document.images].every((one) => one.complete)")
    page.resize(columns * (width // 2 + 8) + 24, page.ask("document.documentElement.scrollHeight"))
    page.picture(PICTURES / f"sheet-{name}.png")


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    program = browser.find()
    if program is None:
        sys.exit("mail pictures: there is no Chromium (install it, or name one in $CHROMIUM)")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser.Browser(program) as chromium:
        folder = pathlib.Path(folder)
        taken = {}
        for name, html in mails():
            file = folder / f"{name}.html"
            file.write_text(html, encoding="utf-8")
            for scheme in ("light", "dark"):
                for width in WIDTHS.values():
                    key = (name[:2], scheme, width)
                    taken.setdefault(key, []).append(take(chromium, name, file, scheme, width))
        if not taken:
            sys.exit(f"mail pictures: there are no mails in {SNAPSHOTS}")
        for (language, scheme, width), pictures in taken.items():
            kind = next(kind for kind, one in WIDTHS.items() if one == width)
            sheet(chromium, folder, f"{language}-{scheme}-{kind}", pictures, width, 6 if kind == "phone" else 4)
    print(f"mail pictures: {sum(map(len, taken.values()))} in {PICTURES}")


if __name__ == "__main__":
    main()
