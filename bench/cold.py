"""From exec to the first answered event, the store read once over TLS: our functions, a bare one, Node and Python.

Each of our functions reads its signing keys while it starts, so an event that is answered without a read is one read in all;
an event of a person who is signed in takes another. The bare function reads nothing.
"""

import contextlib
import os

from . import tls
from .common import BUILT, CLIENT_CPU, SERVER_CPU, WORK, Failure, keep, median, say, spread
from .events import Account, body_of, event
from .setup import FUNCTIONS
from .player import Broken, Function, development_server, gateway_event
from .work import Once, callgrind

RUNS, SLOW_RUNS = 75, 9


def events(base):
    account, gone = Account(base), Account(base)
    gone.sign_out()
    kite, sprout = "/kite/api/v1", "/sproutgate/api"
    without = {
        "login": (event("POST", f"{kite}/auth/logout"), 401),
        "register": (event("POST", f"{kite}/auth/register", body={}), 400),
        "refresh": (event("GET", "/.well-known/jwks.json"), 200),
        "profile": (event("GET", f"{kite}/profile"), 401),
        "admin": (event("GET", f"{kite}/admin/users"), 401),
    }
    once = {
        "login": (event("POST", f"{kite}/auth/logout", gone.access, {}), 401),
        "register": (event("GET", f"{kite}/auth/options"), 200),
        "refresh": (event("POST", f"{sprout}/auth/verify", body={"token": account.access}), 200),
        "profile": (event("GET", f"{kite}/profile", account.access), 200),
        "admin": (event("GET", f"{kite}/admin/users", account.access), 403),
    }
    return without, once


def start(command, extra, asked, expect):
    """Milliseconds from exec to the answer, and to being ready; MiB that were resident at most."""
    with Function(command, extra, processor=SERVER_CPU) as function:
        try:
            body_of(function.ask(asked), expect)
        except Broken as broken:
            raise Failure(f"{command[0]} {broken}")
        with open(f"/proc/{function.pid}/status") as status:
            most = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
        return function.answered_ms, function.ready_ms, most


def profile(name, extra, asked, folder):
    """Instructions from exec to the answer, in all and by crate, TLS included."""
    unstripped = WORK / "callgrind/cold" / name
    if name == "floor":
        unstripped = WORK / "floor/release/floor"
    else:
        tls.trusting(BUILT / name, folder / "root.pem", unstripped)
    (first, *others) = callgrind([unstripped], extra, Once(*asked), 1, WORK / "callgrind" / f"cold-{name}")
    found = {"all": first.total + sum(thread.total for thread in others), "crates": dict(first.crates.most_common(10))}
    say(f"cold, instructions: {name:9} {found['all'] / 1e3:8,.0f} thousand: " + ", ".join(f"{crate} {count / 1e3:,.0f}" for crate, count in found["crates"].items()))
    return found


def stage(options):
    runs, slow_runs = (5, 2) if options.quick else (RUNS, SLOW_RUNS)
    os.sched_setaffinity(0, {CLIENT_CPU})
    with contextlib.ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, set(range(os.cpu_count())))
        base, settings = stack.enter_context(development_server(str(BUILT / "polygate")))
        folder = WORK / "tls"
        tls.chain(folder)
        secure = settings | {"AWS_ENDPOINT_URL_DYNAMODB": stack.enter_context(tls.endpoint(folder, settings["AWS_ENDPOINT_URL_DYNAMODB"]))}
        without, once = events(base)
        hello = (gateway_event("GET", "/", {}), 200)
        contenders = {"floor": ([WORK / "stripped/floor"], {}, *hello, False)}
        for name in FUNCTIONS:
            trusting = tls.trusting(WORK / "stripped" / name, folder / "root.pem", WORK / "trusting" / name)
            contenders[name] = ([trusting], secure, *without[name], False)
            contenders[f"{name}, another read"] = ([trusting], secure, *once[name], False)
        contenders["profile, plain HTTP"] = ([WORK / "stripped/profile"], settings, *without["profile"], False)
        root = str(folder / "root.pem")
        node = ["/usr/bin/env", "node", WORK / "node/function.mjs"]
        contenders["Node, SDK v3"] = (node, secure | {"NODE_EXTRA_CA_CERTS": root, "PATH": os.environ["PATH"]}, *hello, True)
        contenders["Python, boto3"] = ([WORK / "python/bin/python", WORK / "node/function.py"], secure | {"AWS_CA_BUNDLE": root}, *hello, True)
        found = {name: [] for name in contenders}
        for turn in range(runs + 1):
            for name, (command, extra, asked, expect, slow) in contenders.items():
                if slow and turn > slow_runs:
                    continue
                measured = start(command, extra, asked, expect)
                if turn:  # The first only brings files into memory.
                    found[name].append(measured)
            if turn % 5 == 0:
                say(f"cold, {turn} of {runs} turns; " + ", ".join(f"{name} {median([run[0] for run in of]):.1f}" for name, of in found.items() if of and "," not in name) + " ms")
        profiles = {name: profile(name, secure if name != "floor" else {}, contenders[name][2:4], folder) for name in ["floor", *FUNCTIONS]}
        keep("cold", options.quick, {"profiles": profiles, "runs": runs, "slow_runs": slow_runs, "starts": {
            name: {key: spread([round(run[column], 3) for run in of]) for column, key in enumerate(["answered_ms", "ready_ms", "most_mib"])}
            for name, of in found.items()
        }})
