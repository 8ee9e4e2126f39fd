"""What one warm request takes: processor time, instructions, round trips and capacity units, through the functions' own binaries.

Processor time is a process's own, so a request's is that of many, divided. The hash runs on a thread of its own, so what the
first thread used is everything else. Instructions are those of callgrind, of a run with more requests less one with fewer.
"""

import contextlib
import itertools
import os
import pathlib
import random
import shutil
import signal

from . import tls
from .common import BUILT, CLIENT_CPU, SERVER_CPU, WORK, Failure, keep, median, memory_mib, processor_seconds, ratio, say, spread
from .callgrind import Profile
from .events import PASSWORD, Account, body_of, event
from .meter import Meter
from .player import Broken, Function, development_server, gateway_event
from .sizes import zips

KITE = "/kite/api/v1"
# Of each: the function, requests in a measurement, and those under callgrind (fewer, more). A token is verified again and
# again, as people present theirs; a new one is another each time.
KINDS = {
    "verify": ("refresh", 200, (5, 25)),
    "verify_new": ("refresh", 200, (5, 25)),
    "me": ("profile", 200, (5, 25)),
    "refresh": ("refresh", 200, (5, 25)),
    "login": ("login", 24, (2, 6)),
    "register": ("register", 24, (2, 6)),
}
HASHES = {"login", "register"}
# Two that do next to nothing: with one read of the store, and with none. The difference is what the store's client takes.
BARE = {"settings": ("register", 200, (5, 25)), "health": ("refresh", 200, (5, 25))}
ALL = KINDS | BARE
WARM, ROUNDS = 12, 15
NUMBERS = itertools.count(1)
NETWORKS = 1 << 22


class Asker:
    """Makes the requests of one kind, one after the other, each of the next of some people: of one, unless more are given."""

    def __init__(self, kind, base, people=None):
        self.kind, self.people = kind, people or ([Account(base)] if kind != "register" else [None])
        self.name = f"new{next(NUMBERS)}x{os.getpid()}"
        self.count, self.tokens = 0, []
        # Networks of its own, since what is counted of one that asked before in the same store is read and written otherwise.
        self.network = random.randrange(NETWORKS)

    def prepare(self, count):
        """Gets ready for so many requests, so that nothing else is done between them."""
        if self.kind == "verify_new":
            for _ in range(count):
                self.people[0].renew()
                self.tokens.append(self.people[0].access)

    def ask(self, function):
        account = self.people[self.count % len(self.people)]
        self.count += 1
        match self.kind:
            case "settings":
                body_of(function.ask(event("GET", f"{KITE}/auth/options")), 200)
            case "health":
                body_of(function.ask(event("GET", f"{KITE}/health")), 200)
            case "verify" | "verify_new":
                token = self.tokens.pop() if self.kind == "verify_new" else account.access
                answer = function.ask(event("POST", "/sproutgate/api/auth/verify", body={"token": token}))
                assert body_of(answer, 200)["valid"] is True
            case "me":
                body_of(function.ask(event("GET", f"{KITE}/profile", account.access)), 200)
            case "refresh":
                answer = function.ask(event("POST", f"{KITE}/auth/refresh", body={"refresh_token": account.refresh}))
                account.refresh = body_of(answer, 200)["data"]["refresh_token"]
            case "login":
                body_of(function.ask(event("POST", f"{KITE}/auth/login", body={"username": account.name, "password": PASSWORD})), 200)
            case "register":
                name = f"{self.name}x{self.count}"
                asked = event("POST", f"{KITE}/auth/register", body={"username": name, "email": f"{name}@example.com", "password": PASSWORD})
                # A network may register so often, and this is no test of that.
                network = (self.network + self.count) % NETWORKS
                asked["requestContext"]["http"]["sourceIp"] = f"{20 + (network >> 16)}.{(network >> 8) & 255}.{network & 255}.1"
                body_of(function.ask(asked), 201)


class Once:
    """One event, told as a stream of requests is."""

    def __init__(self, asked, expect):
        self.asked, self.expect = asked, expect

    def prepare(self, count):
        """It takes nothing beforehand."""

    def ask(self, function):
        body_of(function.ask(self.asked), self.expect)


# The function that does nothing is asked for nothing.
FLOOR = Once(gateway_event("GET", "/", {}), 200)


def first_thread_seconds(pid):
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


def processor_us(command, extra, asker, count):
    """Microseconds of a request on all threads and on the first, those of the dearest of a hundred, and MiB resident at most."""
    asker.prepare(WARM + count)
    with Function(command, extra, processor=SERVER_CPU) as function:
        for _ in range(WARM):
            asker.ask(function)
        function.rest()
        each, before = [], (processor_seconds(function.pid), first_thread_seconds(function.pid))
        for _ in range(count):
            began = processor_seconds(function.pid)
            asker.ask(function)
            function.rest()
            each.append(processor_seconds(function.pid) - began)
        after = (processor_seconds(function.pid), first_thread_seconds(function.pid))
        each.sort()
        return (*(1e6 * (then - now) / count for then, now in zip(after, before)), 1e6 * each[round(0.99 * (count - 1))], memory_mib(function.pid)[1])


def processor(base, settings, secure, options):
    rounds = 2 if options.quick else ROUNDS
    columns = ("all_us", "first_thread_us", "dear_us", "most_mib", "plain_all_us", "plain_first_thread_us", "floor_all_us", "floor_first_thread_us")
    found = {kind: {column: [] for column in columns} for kind in ALL}
    askers = {kind: Asker(kind, base) for kind in ALL}
    for number in range(rounds):
        for kind, asker in askers.items():
            name, count, _ = ALL[kind]
            binary = WORK / "trusting" / name
            everything, first, dear, most = processor_us([binary], secure, asker, count)
            plain_everything, plain_first, *_ = processor_us([binary], settings, asker, count)
            # Beside each, so that a ratio to it is one of the same second.
            floor = processor_us([WORK / "stripped/floor"], {}, FLOOR, 1000)[:2]
            for column, value in zip(columns, (everything, first, dear, most, plain_everything, plain_first, *floor)):
                found[kind][column].append(round(value, 2))
            say(f"work, round {number + 1} of {rounds}: {kind:10} {everything:7.0f} µs of a processor, {first:6.0f} µs of it on the first thread (over plain HTTP {plain_first:.0f}; the floor {floor[1]:.0f})")
    return {kind: {column: spread(values) for column, values in one.items()} for kind, one in found.items()}


def at_the_store(base, settings, engine):
    """Calls, round trips and capacity units of one request of each kind, in a state that is long there."""
    found = {}
    with Meter(engine).running() as meter:
        for kind, (name, _, _) in ALL.items():
            asker = Asker(kind, base)
            asker.prepare(3)
            with Function([WORK / "stripped" / name], settings | {"AWS_ENDPOINT_URL_DYNAMODB": meter.url}, processor=SERVER_CPU) as function:
                asker.ask(function)
                asker.ask(function)
                function.rest()
                meter.read()
                asker.ask(function)
                function.rest()
                found[kind] = meter.read()
            say(f"work, store: {kind:8} {found[kind]['round_trips']} round trips, {found[kind]['read_units']:g} read and {found[kind]['write_units']:g} write units")
    return found


def callgrind(command, extra, asker, count, folder):
    """Profiles by thread, the first one's first, of a run that answers so many requests."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    valgrind = [shutil.which("valgrind"), "--tool=callgrind", f"--callgrind-out-file={folder}/out", "--separate-threads=yes", *command]
    asker.prepare(count)
    with Function(valgrind, extra, limit=120, processor=SERVER_CPU) as function:
        for _ in range(count):
            asker.ask(function)
        function.rest()
        function.stop(signal.SIGTERM)
    threads = [Profile(file) for file in sorted(folder.glob("out-*"))]
    if not threads:
        raise Failure(f"callgrind wrote nothing for {command[0]}")
    return threads


def is_handler(name):
    """What Lambda's runtime calls with an event; which of them are inlined is the compiler's choice."""
    return any(part in name for part in ("polygate_shared::aws::lambda::handle", "polygate_shared::aws::lambda::answer", "polygate_shared::http::front::Front::answer"))


def is_store(name):
    """The store's client, from where the core calls it."""
    return "DynamoStore as polygate_shared::identity::store::Store>" in name


def is_signature(name):
    """A token's ES256 signature, made or verified."""
    return any(part in name for part in ("ecdsa::signing::EcdsaKeyPair::sign", "EcdsaVerificationAlgorithm as ring::signature::VerificationAlgorithm>::verify"))


def is_log(name):
    """The request's line of log."""
    return "polygate_shared::http::front::Front::log" in name


OF_THE_HANDLER = {"the token's signature": is_signature, "the line of log": is_log}


def instructions(base, settings, options):
    """Of each kind: instructions of a request, and on the first thread by what called them and by crate."""
    found = {}
    for kind in [*ALL, "floor"]:
        name, _, (few, more) = ALL.get(kind, ("floor", None, (5, 25)))
        binary = WORK / "floor/release/floor" if kind == "floor" else BUILT / name
        asker = FLOOR if kind == "floor" else Asker(kind, base)
        fewer, many = (callgrind([binary], settings, asker, count, WORK / "callgrind" / f"{kind}-{count}") for count in (few, more))

        def each(value):
            return (value(many) - value(fewer)) / (more - few)

        found[kind] = {"all": round(each(lambda threads: sum(thread.total for thread in threads))), "first_thread": round(each(lambda threads: threads[0].total))}
        if kind != "floor":
            store = each(lambda threads: threads[0].called_within(is_store))
            handler = each(lambda threads: threads[0].called_within(is_handler)) - store
            # What isn't asked for anything is polled now and then.
            if handler <= 0 or (store < 0.02 * handler) != (kind == "health"):
                raise Failure(f"{kind}: the handler or the store's client isn't found in the profile")
            crates = {crate: each(lambda threads: threads[0].crates[crate]) for crate in many[0].crates}
            found[kind] |= {"handler": round(handler), "store_client": round(store), "crates": {crate: round(count) for crate, count in sorted(crates.items(), key=lambda pair: -pair[1]) if count >= 1000}}
            found[kind]["of_the_handler"] = {told: round(each(lambda threads: threads[0].called_within(is_it))) for told, is_it in OF_THE_HANDLER.items()}
        say(f"work, instructions: {kind:8} " + ", ".join(f"{what} {count / 1e3:,.0f} k" for what, count in found[kind].items() if what not in ("crates", "of_the_handler")))
    return found


def handlers(processor, counted, store):
    """What of a request's time is the handler's own, over plain HTTP and without the hash: at most, in floors and in microseconds.

    Two requests that do next to nothing differ by one read of the store, so by what its client takes for a call. What is left
    of a request beside that for each of its calls, and beside the floor, which is Lambda's runtime, is the handler. All of
    them as multiples of the floor that was measured beside each, since this machine is quicker at one time than at another.
    What the client takes more for a larger call is counted as the handler's.
    """
    floors = {kind: ratio(one["plain_first_thread_us"], one["floor_first_thread_us"]) for kind, one in processor.items()}
    one_call = floors["settings"] - floors["health"]
    floor_us = median([value for one in processor.values() for value in one["floor_first_thread_us"]["rounds"]])
    found = {}
    for kind in KINDS:
        one, calls = counted[kind], sum(store[kind]["calls"].values())
        rest = one["first_thread"] - one["handler"] - one["store_client"]
        parts = {"handler": one["handler"], "store's client": one["store_client"], "runtime and connections": rest}
        own = floors[kind] - 1 - calls * one_call
        found[kind] = {
            "floors": round(own, 3),
            "us": round(own * floor_us, 1),
            "store_us": round(calls * one_call * floor_us, 1),
            "shares": {name: round(count / one["first_thread"], 4) for name, count in parts.items()},
            "crates": [[crate, round(count / one["first_thread"], 4)] for crate, count in one["crates"].items()],
        }
    return found


def stage(options):
    os.sched_setaffinity(0, {CLIENT_CPU})
    with contextlib.ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, set(range(os.cpu_count())))
        base, settings = stack.enter_context(development_server(str(BUILT / "polygate")))
        folder, engine = WORK / "tls", settings["AWS_ENDPOINT_URL_DYNAMODB"]
        tls.chain(folder)
        for name in {name for name, *_ in KINDS.values()}:
            tls.trusting(WORK / "stripped" / name, folder / "root.pem", WORK / "trusting" / name)
        secure = settings | {"AWS_ENDPOINT_URL_DYNAMODB": stack.enter_context(tls.endpoint(folder, engine))}
        try:
            used, counted, store = processor(base, settings, secure, options), instructions(base, settings, options), at_the_store(base, settings, engine)
            keep("work", options.quick, {
                "kinds": {kind: {"function": name, "hashes": kind in HASHES} for kind, (name, *_) in KINDS.items()},
                "store": store,
                "processor": used,
                "instructions": counted,
                "handler": handlers(used, counted, store),
                "zip_bytes": zips(),
            })
        except Broken as broken:
            raise Failure(f"a function {broken}")
