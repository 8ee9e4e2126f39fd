"""How much each service answers, how quickly and with how much of a processor: a closed loop on one machine."""

import contextlib
import itertools
import shutil
import time

from .callgrind import Profile
from .common import BUILT, SERVER_CPU, WORK, Failure, free_port, keep, median, memory_mib, on_processor, process, processor_seconds, say, spread
from .events import Account
from .player import http
from .services import Driver, all_services
from .work import is_store

WORKERS, WARM, SECONDS, ROUNDS = 8, 0.3, 1.0, 9
STARTS, REST = 3, 15
# Operations alone; and together, as applications ask. Who has no refresh reads in its place.
ALONE = ["read", "refresh", "login", "register"]
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


def at_rest(services, starts):
    """MiB of each that has started and was asked nothing else: resident, its own, and pages of files; medians of some starts."""
    found = {service.name: [] for service in services}
    for _ in range(starts):
        with contextlib.ExitStack() as stack:
            for service in services:
                stack.enter_context(service.running())
            # What starting took is given back by then: our server keeps the memory of its first hash for some seconds.
            time.sleep(REST)
            for service in services:
                resident, _, own, files = memory_mib(service.pid)
                found[service.name].append((resident, own, files))
    for name, seen in found.items():
        say(f"throughput: {name} at rest, MiB: " + ", ".join(f"{resident:.0f}" for resident, *_ in seen))
    keys = ("at_rest_mib", "own_at_rest_mib", "files_at_rest_mib")
    return {name: {key: round(median(values), 1) for key, values in zip(keys, zip(*seen))} for name, seen in found.items()}


def stage(options):
    seconds, rounds, starts = (0.6, 1, 1) if options.quick else (SECONDS, ROUNDS, STARTS)
    services = all_services()
    found = {service.name: {"told": service.told, "operations": {}} for service in services}
    for name, seen in at_rest(services, starts).items():
        found[name] |= seen
    with contextlib.ExitStack() as stack:
        for service in services:
            stack.enter_context(service.running())
        # A round beforehand doesn't count: until then programs are loaded, and what Node runs often is compiled.
        for number in range(-1, rounds):
            for mix in [*ALONE, "mixed"]:
                for service in services:
                    if mix not in mixes(service):
                        continue
                    measured = measure(service, mixes(service)[mix], seconds)
                    if number < 0:
                        continue
                    found[service.name]["operations"].setdefault(mix, []).append(measured)
                    say(f"throughput, round {number + 1} of {rounds}: {mix:8} {service.name:13} {measured['per_second']:8.0f}/s {measured['per_cpu_second']:8.0f}/cpu s   p50 {measured['p50_ms']:.2f}  p99 {measured['p99_ms']:.2f} ms")
        for service in services:
            found[service.name]["peak_mib"] = round(memory_mib(service.pid)[1], 1)
    for one in found.values():
        one["operations"] = {mix: {name: spread([round_[name] for round_ in rounds_]) for name in rounds_[0]} for mix, rounds_ in one["operations"].items()}
    profiles = {operation: profile(operation) for operation in ("read", "refresh")}
    keep("throughput", options.quick, {"profiles": profiles, "workers": WORKERS, "seconds": seconds, "rounds": rounds, "mixed": MIXED, "services": found})
