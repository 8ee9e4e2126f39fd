"""How much each service answers, how quickly and with how much of a processor: a closed loop on one machine."""

import contextlib
import itertools

from .common import keep, memory_mib, processor_seconds, say, spread
from .services import Driver, all_services

WORKERS, WARM, SECONDS, ROUNDS = 8, 0.4, 2.0, 3
# Operations alone; and together, as applications ask. Who has no refresh reads in its place.
ALONE = ["read", "refresh", "login", "register"]
MIXED = {"read": 80, "refresh": 12, "login": 6, "register": 2}
NUMBERS = itertools.count(1)


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


def stage(options):
    seconds, rounds = (0.6, 1) if options.quick else (SECONDS, ROUNDS)
    services = all_services()
    found = {service.name: {"told": service.told, "operations": {}} for service in services}
    with contextlib.ExitStack() as stack:
        for service in services:
            stack.enter_context(service.running())
            # One of each first, so that nothing is loaded or compiled in what is measured.
            Driver(service, {name: 1 for name in service.operations if name != "first"}, 1, 0, 0.5, next(NUMBERS)).go(lambda: None, lambda: None)
            found[service.name]["at_rest_mib"] = memory_mib(service.pid)[0]
            say(f"throughput: {service.name} is there, {found[service.name]['at_rest_mib']:.0f} MiB at rest")
        for number in range(rounds):
            for mix in [*ALONE, "mixed"]:
                for service in services:
                    if mix not in mixes(service):
                        continue
                    measured = measure(service, mixes(service)[mix], seconds)
                    found[service.name]["operations"].setdefault(mix, []).append(measured)
                    say(f"throughput, round {number + 1} of {rounds}: {mix:8} {service.name:13} {measured['per_second']:8.0f}/s {measured['per_cpu_second']:8.0f}/cpu s   p50 {measured['p50_ms']:.2f}  p99 {measured['p99_ms']:.2f} ms")
        for service in services:
            found[service.name]["peak_mib"] = memory_mib(service.pid)[1]
    for one in found.values():
        one["operations"] = {mix: {name: spread([round_[name] for round_ in rounds_]) for name in rounds_[0]} for mix, rounds_ in one["operations"].items()}
    keep("throughput", {"workers": WORKERS, "seconds": seconds, "rounds": rounds, "mixed": MIXED, "services": found})
