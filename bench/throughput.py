"""How much each service answers, how quickly and with how much of a processor: a closed loop on one machine."""

import contextlib
import itertools
import shutil
import statistics
import time

from .callgrind import Profile
from .common import BUILT, SERVER_CPU, WORK, Failure, free_port, keep, memory_mib, on_processor, process, processor_seconds, say, spread
from .events import Account
from .player import http
from .services import Driver, all_services
from .work import is_store

WORKERS, WARM, REST, STARTS = 8, 0.2, 15, 3
# Operations alone; and together, as applications ask. Who has no refresh reads in its place.
ALONE = ["read", "refresh", "login", "register"]
# Seconds of a turn, and turns: what else the machine does lasts for seconds, so that short turns side by side bear the same.
# Hashes, of which few are answered in a second, need longer ones, and the mix such that chance has its hashes in each.
TURNS = {"read": (0.5, 29), "refresh": (0.5, 29), "login": (1.0, 9), "register": (1.0, 9), "mixed": (2.0, 11)}
# Before them, until programs are loaded and what Node runs often is compiled; and for the most of memory, after each start.
LOADED, BUSY = 2.0, 3.0
MIXED = {"read": 80, "refresh": 12, "login": 6, "register": 2}
NUMBERS = itertools.count(1)
# What a request on our server comes by, besides the engine; neither calls the other.
PARTS = {
    "the store's client": is_store,
    "the token's signature": lambda name: any(part in name for part in ("jsonwebtoken::", "identity::seen::", "identity::signature::", "suite_b::ecdsa::")),
}


def mixes(service):
    has = service.operations
    found = {name: {name: 1} for name in ALONE if name in has}
    if "read" in has:
        mixed = dict(MIXED)
        if "refresh" not in has:
            mixed["read"] += mixed.pop("refresh")
        found["mixed"] = mixed
    return found


def measure(service, mix, seconds):
    before, after = [], []
    driver = Driver(service, mix, WORKERS, WARM, seconds, next(NUMBERS))
    told = driver.go(lambda: before.append(processor_seconds(service.pid)), lambda: after.append(processor_seconds(service.pid)))
    used, count = after[0] - before[0], told["all"]["count"]
    return {
        "per_second": count / told["seconds"], "per_cpu_second": count / used, "cpu_us": 1e6 * used / count, "busy": used / told["seconds"],
        "p50_ms": told["all"]["p50_us"] / 1000, "p99_ms": told["all"]["p99_us"] / 1000, "count": count,
    }


def profile(operation, counts=(10, 50)):
    """Instructions of a request on our server, the engine's part included, in all and by crate."""
    runs = []
    for count in counts:
        folder = WORK / "callgrind" / f"server-{operation}-{count}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        port = free_port()
        valgrind = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={folder}/out", BUILT / "polygate", "--port", port, "--data", folder / "data"]
        with process(on_processor(SERVER_CPU, valgrind), folder / "log") as started:
            base = f"http://127.0.0.1:{port}"
            wait_for(f"{base}/kite/api/v1/health", started)
            account = Account(base)
            for _ in range(count):
                if operation == "read":
                    account.read()
                else:
                    account.renew()
        runs.append([Profile(file) for file in sorted(folder.glob("out-*"))])
    few, many = runs

    def per_request(value):
        return round((value(many) - value(few)) / (counts[1] - counts[0]))

    crates = {crate: per_request(lambda threads: sum(thread.crates[crate] for thread in threads)) for crate in {crate for thread in many for crate in thread.crates}}
    # It works on a thread of its own.
    parts = {"the engine": per_request(lambda threads: max(threads, key=lambda thread: thread.crates["dynoxide-rs"]).total)}
    parts |= {part: per_request(lambda threads: sum(thread.called_within(is_it) for thread in threads)) for part, is_it in PARTS.items()}
    if min(parts.values()) <= 0:
        raise Failure(f"a part isn't found in the profile of {operation}: {parts}")
    whole = per_request(lambda threads: sum(thread.total for thread in threads))
    parts["HTTP, the contract, the core and the log"] = whole - sum(parts.values())
    say(f"throughput, instructions: {operation:8} {whole / 1e3:,.0f} thousand: " + ", ".join(f"{part} {count / 1e3:,.0f}" for part, count in parts.items()))
    return {"all": whole, "parts": parts, "crates": dict(sorted(crates.items(), key=lambda pair: -pair[1])[:14])}


def wait_for(url, started, seconds=90):
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if http(url, timeout=20)[0] == 200:
                return
        if started.poll() is not None or time.monotonic() > end:
            raise Failure("the development server doesn't start under callgrind")
        time.sleep(0.2)


def memory(services, starts, busy):
    """MiB of each, means of some starts: resident, its own, and pages of files, while nothing is asked; and the most after some seconds of all operations."""
    found = {service.name: [] for service in services}
    for _ in range(starts):
        with contextlib.ExitStack() as stack:
            for service in services:
                stack.enter_context(service.running())
            # What starting took is given back by then: our server keeps the memory of its first hash for some seconds.
            time.sleep(REST)
            resting = [memory_mib(service.pid) for service in services]
            for service, (resident, _, own, files) in zip(services, resting):
                # Who has no reads is asked for everything else alike.
                measure(service, mixes(service).get("mixed") or {name: 1 for name in ALONE if name in service.operations}, busy)
                found[service.name].append((resident, own, files, memory_mib(service.pid)[1]))
    for name, seen in found.items():
        say(f"throughput: {name}, MiB at rest and at most: " + ", ".join(f"{resident:.0f} {most:.0f}" for resident, *_, most in seen))
    keys = ("at_rest_mib", "own_at_rest_mib", "files_at_rest_mib", "peak_mib")
    return {name: {key: round(statistics.mean(values), 1) for key, values in zip(keys, zip(*seen))} for name, seen in found.items()}


def stage(options):
    turns = {mix: (0.6, 1) for mix in TURNS} if options.quick else TURNS
    starts, services = 1 if options.quick else STARTS, all_services()
    found = {service.name: {"told": service.told, "operations": {}} for service in services}
    for name, seen in memory(services, starts, BUSY).items():
        found[name] |= seen
    with contextlib.ExitStack() as stack:
        for service in services:
            stack.enter_context(service.running())
        for mix, (seconds, count) in turns.items():
            asked = [service for service in services if mix in mixes(service)]
            for service in asked:
                measure(service, mixes(service)[mix], 0.6 if options.quick else LOADED)
            for number in range(count):
                for service in asked:
                    measured = measure(service, mixes(service)[mix], seconds)
                    found[service.name]["operations"].setdefault(mix, []).append(measured)
                    say(f"throughput, turn {number + 1} of {count}: {mix:8} {service.name:13} {measured['per_second']:8.0f}/s {measured['per_cpu_second']:8.0f}/cpu s   p50 {measured['p50_ms']:.2f}  p99 {measured['p99_ms']:.2f} ms")
    for one in found.values():
        one["operations"] = {mix: {name: spread([turn[name] for turn in each]) for name in each[0]} for mix, each in one["operations"].items()}
    profiles = {operation: profile(operation) for operation in ("read", "refresh")}
    keep("throughput", options.quick, {"profiles": profiles, "workers": WORKERS, "turns": turns, "loaded": LOADED, "busy": BUSY, "starts": starts, "mixed": MIXED, "services": found})
