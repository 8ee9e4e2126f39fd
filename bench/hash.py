"""One password's hash at the same parameters: ours as a function computes it, the reference library in C, and what the peers on Node have."""

import contextlib
import os

from .common import BUILT, CLIENT_CPU, SERVER_CPU, WORK, Failure, keep, median, run, say, spread
from .player import Broken, development_server
from .work import Asker, processor_us

IN_C = """
import argon2, time
hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
hashed = hasher.hash("correct-horse-battery")
hasher.verify(hashed, "correct-horse-battery")
began = time.process_time()
for _ in range(20): hasher.verify(hashed, "correct-horse-battery")
print((time.process_time() - began) / 20 * 1000)
"""
ON_NODE = """
import { hash, verify } from "./common.mjs";
const hashed = await hash("correct-horse-battery");
await verify(hashed, "correct-horse-battery");
const began = process.cpuUsage();
for (let turn = 0; turn < 20; turn++) await verify(hashed, "correct-horse-battery");
const used = process.cpuUsage(began);
console.log((used.user + used.system) / 20 / 1000);
"""


def by(*command):
    """Milliseconds of a processor, as the program tells."""
    return round(float(run(["taskset", "-c", str(SERVER_CPU), *command], cwd=WORK / "node")), 3)


def stage(options):
    os.sched_setaffinity(0, {CLIENT_CPU})
    found = {"ours_ms": [], "c_ms": [], "node_ms": []}
    with contextlib.ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, set(range(os.cpu_count())))
        base, settings = stack.enter_context(development_server(str(BUILT / "polygate")))
        asker = Asker("login", base)
        try:
            for _ in range(3 if options.quick else 15):
                everything, first, *_ = processor_us([WORK / "stripped/login"], settings, asker, 20)
                found["ours_ms"].append(round((everything - first) / 1000, 3))
                found["c_ms"].append(by(WORK / "python/bin/python", "-c", IN_C))
                found["node_ms"].append(by("node", "--input-type=module", "--eval", ON_NODE))
        except Broken as broken:
            raise Failure(f"a function {broken}")
    say(f"hash: {median(found['ours_ms']):.1f} ms, in C {median(found['c_ms']):.1f} ms, on Node {median(found['node_ms']):.1f} ms")
    keep("hash", options.quick, {name: spread(values) for name, values in found.items()})
