"""Whether a request takes the same with ten thousand accounts in the store and with a million."""

import contextlib
import os
import random

from .common import BUILT, CLIENT_CPU, WORK, keep, say, spread
from .events import Account
from .meter import Meter
from .player import Function, development_server
from .pool import name_of, pool, size
from .work import KINDS, Asker, callgrind, processor_us

SIZES, QUICK_SIZES = (10_000, 1_000_000), (1_000, 10_000)
# Of each kind: requests in a turn, and turns; what hashes is cheap beside its hash, and differs more from turn to turn.
REQUESTS = {"verify": (300, 11), "me": (300, 11), "refresh": (300, 21), "login": (16, 17), "register": (16, 17)}
PEOPLE = 12
# Everybody who asks has asked before, or a token would be new to the process.
COUNTED = {"verify": (PEOPLE, 3 * PEOPLE), "me": (PEOPLE, 3 * PEOPLE), "refresh": (PEOPLE, 3 * PEOPLE), "login": (2, 6), "register": (2, 6)}


class Known(Account):
    """Somebody of the pool, signed in."""

    def __init__(self, base, name):
        self.base, self.name, self.email = base, name, f"{name}@example.com"
        self.sign_in()


class Grown:
    """A pool, and who of it asks."""

    def __init__(self, accounts, base, settings):
        self.accounts, self.base, self.settings = accounts, base, settings
        self.chance, self.found = random.Random(accounts), {}

    def begin(self, kind, meter):
        """Has everybody ask once, since a first sign-in is from a new device, and tells what a request takes at the store then."""
        names = [name_of(self.chance.randrange(self.accounts)) for _ in range(PEOPLE)] if kind != "register" else []
        self.crowd = Asker(kind, self.base, [Known(self.base, name) for name in names])
        with Function([program(kind)], self.settings | {"AWS_ENDPOINT_URL_DYNAMODB": meter.url}) as function:
            for _ in range(PEOPLE + 1):
                self.crowd.ask(function)
                function.rest()
                store = meter.read()
        self.found[kind] = {"store": store, "first_thread_us": []}

    def time(self, kind):
        used = processor_us([program(kind)], self.settings, self.crowd, REQUESTS[kind][0])[1]
        self.found[kind]["first_thread_us"].append(round(used, 2))

    def count(self, kind):
        few, more = COUNTED[kind]
        name, *_ = KINDS[kind]
        runs = [callgrind([BUILT / name], self.settings, self.crowd, count, WORK / "callgrind" / f"growth-{kind}-{count}")[0].total for count in (few, more)]
        self.found[kind]["instructions"] = round((runs[1] - runs[0]) / (more - few))


def program(kind):
    name, *_ = KINDS[kind]
    return WORK / "stripped" / name


def measure(pools, quick):
    for kind, (_, turns) in REQUESTS.items():
        for one in pools:
            with Meter(one.settings["AWS_ENDPOINT_URL_DYNAMODB"]).running() as meter:
                one.begin(kind, meter)
            # Before the turns: a session remembers for a while which tokens it gave, and that takes instructions.
            one.count(kind)
        # In turns, and the other one first in each second: what else this machine does comes and goes.
        for turn in range(1 if quick else turns):
            for one in pools if turn % 2 == 0 else reversed(pools):
                one.time(kind)
        for one in pools:
            found = one.found[kind]
            found["first_thread_us"], store = spread(found["first_thread_us"]), found["store"]
            say(f"growth, {one.accounts:9,} accounts: {kind:8} {found['first_thread_us']['median']:6.0f} µs, {store['round_trips']} round trips, {store['read_units']:g} and {store['write_units']:g} units")


def stage(options):
    sizes = QUICK_SIZES if options.quick else SIZES
    os.sched_setaffinity(0, {CLIENT_CPU})
    pools = []
    try:
        with contextlib.ExitStack() as stack:
            for accounts in sizes:
                pools.append(Grown(accounts, *stack.enter_context(development_server(str(BUILT / "polygate"), data=pool(accounts), wait=120))))
            measure(pools, options.quick)
            result = {str(one.accounts): {"bytes": size(one.accounts), "requests": one.found} for one in pools}
    finally:
        os.sched_setaffinity(0, set(range(os.cpu_count())))
    keep("growth", options.quick, {"people": PEOPLE, "accounts": result})
