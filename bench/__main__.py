"""Measures what Polygate takes, beside others, and writes docs/performance.md.

    just bench                     everything, in turns, on this machine
    just bench --only throughput   one stage; the report is written of what was kept of the others
    just bench --report            the report anew, of docs/performance/*.json, without measuring
    just bench --quick             a short look, which keeps nothing worth comparing
"""

import argparse
import importlib
import subprocess
import sys

from . import setup
from .common import Failure, say

STAGES = ["cold", "work", "throughput", "growth", "cost"]


def main():
    parser = argparse.ArgumentParser(prog="just bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=STAGES, help="this stage; may be given more than once")
    parser.add_argument("--quick", action="store_true", help="short, to see whether it works")
    parser.add_argument("--report", action="store_true", help="measure nothing, write the report")
    options = parser.parse_args()
    try:
        if not options.report:
            setup.everything()
            for stage in options.only or STAGES:
                say(f"stage {stage}")
                importlib.import_module(f"bench.{stage}").stage(options)
        setup.report()
        return 0
    except (Failure, OSError, subprocess.CalledProcessError) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
