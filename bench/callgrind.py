"""Reads what callgrind writes: instructions by the crate of each line, and by what called what.

https://valgrind.org/docs/manual/cl-format.html, without jumps.
"""

import collections
import re

NAMED = re.compile(r"\((\d+)\)(?: (.*))?")
REGISTRY = re.compile(r"/registry/src/[^/]+/([A-Za-z0-9_-]+?)-\d+\.\d+")


def crate(file):
    """What a line belongs to: a crate, `polygate`, `std`, or the C library."""
    if found := REGISTRY.search(file):
        return found[1]
    if "/rustc/" in file or "/library/" in file:
        return "std"
    if "shared/src/" in file or "functions/" in file:
        return "polygate"
    return "libc"


class Profile:
    """A run, or one of its threads: `crates` and `calls`, in instructions."""

    def __init__(self, file):
        self.crates = collections.Counter()
        # (calling function, called function): inclusive.
        self.calls = collections.Counter()
        self.total = 0
        self._read(file)

    def _read(self, file):
        names = {"file": {}, "fn": {}}

        def name(kind, text):
            found = NAMED.match(text)
            if not found:
                return text
            if found[2] is not None:
                names[kind][found[1]] = found[2]
            return names[kind].get(found[1], "")

        caller = called = place = ""
        inclusive = False
        with open(file) as lines:
            for line in lines:
                line = line.rstrip("\n")
                if not line or line[0] == "#":
                    continue
                if line[0].isdigit() or line[0] in "+-*":
                    parts = line.split()
                    if len(parts) < 2:
                        continue
                    cost = int(parts[1])
                    if inclusive:
                        self.calls[caller, called] += cost
                        inclusive = False
                    else:
                        self.crates[crate(place)] += cost
                        self.total += cost
                    continue
                key, equals, value = line.partition("=")
                if not equals:
                    continue
                match key:
                    case "fl" | "fi" | "fe":
                        place = name("file", value)
                    case "fn":
                        caller = name("fn", value)
                    case "cfn":
                        called = name("fn", value)
                    case "cfi" | "cfl":
                        name("file", value)
                    case "calls":
                        inclusive = True

    def called_within(self, is_it):
        """Inclusive instructions of the functions that this is true of, where something else calls them."""
        return sum(cost for (caller, called), cost in self.calls.items() if is_it(called) and not is_it(caller))
