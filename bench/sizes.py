"""How large functions are, and which crates that is."""

import collections
import io
import re
import zipfile

from .common import BUILT, WORK, run
from .setup import FUNCTIONS

# The first path in a symbol's name, whatever stands before it: `<aws_smithy_types::Document as core::fmt::Debug>::fmt`.
CRATE = re.compile(r"(?:<|^|\s|&)([a-z_][a-z0-9_]*)::")


def zips():
    """Bytes of each function's binary and of its zip, as `sam deploy` would make it; and of its symbols, by crate, the largest."""
    found = {}
    for name in FUNCTIONS:
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.write(WORK / "stripped" / name, "bootstrap")
        found[name] = {"binary": (WORK / "stripped" / name).stat().st_size, "zip": len(zipped.getvalue()), "crates": crates(BUILT / name)}
    return found


def crates(binary, most=12):
    """What is generic belongs to whoever wrote it, and not to whoever uses it: most of `core` is that."""
    sizes = collections.Counter()
    for line in run(["nm", "--demangle", "--size-sort", "--print-size", binary]).splitlines():
        _, size, _, name = line.split(None, 3)
        crate = CRATE.search(name)
        # Names without a path are those of assembly and C: ring's.
        sizes[crate[1].replace("_", "-") if crate else "assembly"] += int(size, 16)
    return dict(sizes.most_common(most))
