#!/usr/bin/env python3
"""Writes docs/performance.md and its charts of docs/performance/*.json, which the stages of the bench keep.

    report.py          writes what is stale
    report.py --check  writes nothing; says whether docs/performance.md is what the results give
"""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from bench import told  # noqa: E402
from bench.common import RESULTS, Failure, kept_all  # noqa: E402

DOCS = ROOT / "docs"
AGAIN = RESULTS / "again"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; say whether docs/performance.md is current")
    check = parser.parse_args().check
    try:
        results, again = kept_all(), kept_all(AGAIN) if AGAIN.is_dir() else None
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    written = {"performance.md": told.report(results, again)}
    if not check:
        from bench import drawings

        written |= {f"performance/{stage}-{theme}.svg": getattr(drawings, stage)(theme, results[stage]) for stage in drawings.DRAWN for theme in ("light", "dark")}
    stale = [name for name, text in written.items() if not (DOCS / name).exists() or (DOCS / name).read_text() != text]
    if check and stale:
        sys.exit(f"bench: docs/{', docs/'.join(stale)} is not what docs/performance/*.json gives; `just bench --report` writes it anew")
    for name in stale:
        (DOCS / name).write_text(written[name])
    print(f"bench: docs/performance.md {'is current' if not stale else 'is written; look at `git diff docs/performance.md`'}")


if __name__ == "__main__":
    main()
