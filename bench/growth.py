"""Whether a request takes the same with ten thousand accounts in the store and with a million."""

import os
import random

from .common import BUILT, CLIENT_CPU, WORK, keep, say, spread
from .events import Account
from .meter import Meter
from .player import Function, development_server
from .pool import name_of, pool, size
from .work import KINDS, Asker, callgrind, processor_us

SIZES, QUICK_SIZES = (10_000, 1_000_000), (1_000, 10_000)
PEOPLE, REQUESTS, ROUNDS = 12, {"verify": 200, "me": 200, "refresh": 200, "login": 20, "register": 20}, 3
COUNTED = {"verify": (5, 25), "me": (5, 25), "refresh": (5, 25)}


class Known(Account):
    """Somebody of the pool, signed in."""

    def __init__(self, base, name):
        self.base, self.name, self.email = base, name, f"{name}@example.com"
        self.sign_in()


def measure(accounts, base, settings, rounds):
    chance = random.Random(accounts)
    found = {}
    with Meter(settings["AWS_ENDPOINT_URL_DYNAMODB"]).running() as meter:
        for kind, (name, *_) in KINDS.items():
            binary = WORK / "stripped" / name
            names = [name_of(chance.randrange(accounts)) for _ in range(PEOPLE)] if kind != "register" else []
            crowd = Asker(kind, base, [Known(base, name) for name in names])
            with Function([binary], settings | {"AWS_ENDPOINT_URL_DYNAMODB": meter.url}) as function:
                for _ in range(PEOPLE + 1):  # A first sign-in is from a new device.
                    crowd.ask(function)
                    function.rest()
                    store = meter.read()
            first = [processor_us([binary], settings, crowd, REQUESTS[kind])[1] for _ in range(rounds)]
            found[kind] = {"store": store, "first_thread_us": spread([round(value, 2) for value in first])}
            if kind in COUNTED:
                few, more = COUNTED[kind]
                runs = [callgrind([BUILT / name], settings, crowd, count, WORK / "callgrind" / f"growth-{kind}-{count}")[0].total for count in (few, more)]
                found[kind]["instructions"] = round((runs[1] - runs[0]) / (more - few))
            say(f"growth, {accounts:9,} accounts: {kind:8} {found[kind]['first_thread_us']['median']:6.0f} µs, {store['round_trips']} round trips, {store['read_units']:g} and {store['write_units']:g} units")
    return found


def stage(options):
    sizes, rounds = (QUICK_SIZES, 1) if options.quick else (SIZES, ROUNDS)
    os.sched_setaffinity(0, {CLIENT_CPU})
    result = {}
    try:
        for accounts in sizes:
            folder = pool(accounts)
            with development_server(str(BUILT / "polygate"), data=folder, wait=120) as (base, settings):
                result[str(accounts)] = {"bytes": size(accounts), "requests": measure(accounts, base, settings, rounds)}
    finally:
        os.sched_setaffinity(0, set(range(os.cpu_count())))
    keep("growth", options.quick, {"accounts": result})
