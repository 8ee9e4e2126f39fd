"""Measures what Polygate takes, beside others, and writes docs/performance.md.

    just bench                     everything, in turns, on this machine
    just bench --only throughput   one stage; the report is written of what was kept of the others
    just bench --into FOLDER       the results elsewhere, and no report: docs/performance/again is a second run that the report compares
    just bench --report            the report anew, of docs/performance/*.json, without measuring
    just bench --quick             a short look, to see whether all of it works: with --into, or the results of a whole run are gone
"""

import argparse
import importlib
import pathlib
import subprocess
import sys

from . import common, setup
from .common import STAGES, Failure, say


def main():
    parser = argparse.ArgumentParser(prog="just bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=STAGES, help="this stage; may be given more than once")
    parser.add_argument("--quick", action="store_true", help="short, to see whether it works")
    parser.add_argument("--into", type=pathlib.Path, help="where results are kept, in place of docs/performance")
    parser.add_argument("--report", action="store_true", help="measure nothing, write the report")
    options = parser.parse_args()
    common.RESULTS = options.into or common.RESULTS
    try:
        if not options.report:
            setup.everything()
            for stage in options.only or STAGES:
                say(f"stage {stage}")
                importlib.import_module(f"bench.{stage}").stage(options)
        if not options.into and not options.quick:
            setup.report()
        return 0
    except (Failure, OSError, subprocess.CalledProcessError) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
