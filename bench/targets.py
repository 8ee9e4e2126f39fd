"""What was aimed at, what was measured, and whether it was reached: ratios of one run."""

from .common import ratio
from .setup import FUNCTIONS


# Of each kind: its name, and microseconds that are aimed at.
HANDLERS = {"refresh": ("refresh", 300), "verify": ("verify", 100), "verify_new": ("verify, a token that is new to the process,", 100)}


def by_share(work, kind):
    """Microseconds of a request that are the handler's, by its part of the instructions."""
    return work["handler"][kind]["shares"]["handler"] * work["processor"][kind]["plain_first_thread_us"]["median"]


def best(services, operation):
    """(name, what a processor's second answers) of the best peer."""
    found = {name: one["operations"][operation]["per_cpu_second"] for name, one in services.items() if name != "Polygate" and operation in one["operations"]}
    return max(found.items(), key=lambda pair: pair[1]["median"])


def leanest(services, key):
    """(name, MiB) of the peer that has the least."""
    return min(((name, one[key]) for name, one in services.items() if name != "Polygate"), key=lambda pair: pair[1])


def reckoned(results):
    """(target, measured, whether it was reached) for each."""
    starts = {name: one["answered_ms"] for name, one in results["cold"]["starts"].items()}
    services, work = results["throughput"]["services"], results["work"]
    ours = services["Polygate"]
    rows = []
    for name in FUNCTIONS:
        times = ratio(starts[name], starts["floor"])
        rows.append((f"cold start of `{name}` ≤ 2.7 × the bare floor", f"{times:.2f} ×", times <= 2.7))
    times = min(ratio(starts["Node, SDK v3"], starts[name]) for name in FUNCTIONS)
    rows.append(("cold start ≥ 30 × faster than Node with SDK v3, the slowest of the five", f"{times:.1f} ×", times >= 30))
    times = ratio(results["hash"]["ours_ms"], results["hash"]["c_ms"])
    rows.append(("argon2 ≤ 1.0 × the reference C library", f"{times:.2f} ×", times <= 1.0))
    for operation, told, least in [("read", "session read", 10), ("refresh", "refresh", 5)]:
        name, peer = best(services, operation)
        times = ratio(ours["operations"][operation]["per_cpu_second"], peer)
        rows.append((f"{told} ≥ {least} × the best peer's for a processor's second", f"{times:.1f} × {name}", times >= least))
    for key, told in [("at_rest_mib", "at rest"), ("peak_mib", "at most")]:
        name, least = leanest(services, key)
        part = ours[key] / least
        rows.append((f"resident memory {told} ≤ ¼ of the leanest peer's", f"{part:.2f} of {name}", part <= 0.25))
    for kind, (told, most) in HANDLERS.items():
        used = work["handler"][kind]["us"]
        rows.append((f"handler's work beyond hash and store for {told} ≤ {most} µs of a processor", f"{used:.0f} µs at most ({by_share(work, kind):.0f} µs if all its instructions took alike)", used <= most))
    for name, one in work["zip_bytes"].items():
        rows.append((f"zip of `{name}` ≤ 4 MB", f"{one['zip'] / 1e6:.2f} MB", one["zip"] <= 4_000_000))
    for kind, most in [("verify", 1), ("me", 1), ("refresh", 2), ("login", 3), ("register", 3)]:
        trips = work["store"][kind]["round_trips"]
        rows.append((f"round trips of {kind} ≤ {most}", str(trips), trips <= most))
    accounts = results["growth"]["accounts"]
    small, large = (accounts[size]["requests"] for size in (min(accounts, key=int), max(accounts, key=int)))
    times = max(map(int, accounts)) // min(map(int, accounts))
    for kind in small:
        grown = large[kind]["instructions"] / small[kind]["instructions"]
        rows.append((f"instructions of {kind} stay flat with {times} times the accounts (± 5 %)", f"{grown:.3f} ×", abs(grown - 1) <= 0.05))
    return rows


def most(crates, count=5):
    return ", ".join(f"{crate} {instructions / 1e3:,.0f}" for crate, instructions in list(crates.items())[:count])


def in_the_way(results, target):
    """Why a target is missed, as far as a profile shows it."""
    starts, served = results["cold"]["profiles"], results["throughput"]["profiles"]
    ours = results["throughput"]["services"]["Polygate"]
    if target.startswith("cold start of"):
        name = target.split("`")[1]
        timed = results["cold"]["starts"]
        plain = ratio(timed["profile, plain HTTP"]["answered_ms"], timed["floor"]["answered_ms"])
        return f"{starts[name]['all'] / 1e3:,.0f} thousand instructions to the floor's {starts['floor']['all'] / 1e3:,.0f}: {most(starts[name]['crates'])}. ring and rustls-pki-types are TLS: without it `profile` starts in {plain:.2f} × the floor. libc is the loader and memory, std the formatting and maps of everything else"
    if target.startswith("cold start"):
        slowest = max((starts[name]["all"], name) for name in FUNCTIONS)[1]
        return f"the same: `{slowest}` has {starts[slowest]['all'] / 1e3:,.0f} thousand instructions, {most(starts[slowest]['crates'])}"
    for operation, told in [("read", "session read"), ("refresh", "refresh ≥")]:
        if target.startswith(told):
            parts = dict(sorted(served[operation]["parts"].items(), key=lambda pair: -pair[1]))
            return f"{served[operation]['all'] / 1e3:,.0f} thousand instructions: {most(parts)}. The engine plays DynamoDB: it reads and writes each item as JSON. In a deployment it isn't there"
    if target.startswith("resident memory"):
        parts = f"{ours['own_at_rest_mib']:.0f} MiB of its own and {ours['files_at_rest_mib']:.0f} MiB of pages of the binary at rest; " if "own_at_rest_mib" in ours else ""
        _, least = leanest(results["throughput"]["services"], "at_rest_mib" if "at rest" in target else "peak_mib")
        return parts + f"a hash takes 19 MiB while it is computed. A quarter of the leanest is {least / 4:.0f} MiB"
    if target.startswith("handler"):
        kind = next(kind for kind, (told, _) in HANDLERS.items() if f"for {told} ≤" in target)
        one = results["work"]["instructions"][kind]
        of_it = one["of_the_handler"]
        rest = one["handler"] - sum(of_it.values())
        parts = ", ".join(f"{told} {count / 1e3:,.0f}" for told, count in of_it.items() if count >= 1000)
        return f"of the request's {one['first_thread'] / 1e3:,.0f} thousand instructions the handler has {one['handler'] / 1e3:,.0f}: {parts}, and routes, JSON, the token's hash and rules {rest / 1e3:,.0f}. The store's client has {one['store_client'] / 1e3:,.0f}, more for its calls than for the bare one that is taken off, and the difference is in the time above"
    if target.startswith("zip"):
        size = results["work"]["zip_bytes"][target.split("`")[1]]
        return f"of {size['binary'] / 1e6:.1f} MB, in kilobytes: {most(size['crates'], 10)}"
    return "see below"


def targets(results, again, table):
    rows = reckoned(results)
    others = [measured for _, measured, _ in reckoned(again)] if again else [""] * len(rows)
    met = table(["target", "measured", "in the other run", "met"], [(target, measured, other, "yes" if met else "**no**") for (target, measured, met), other in zip(rows, others)])
    missed = [f"- {target}: {in_the_way(results, target)}." for target, _, met in rows if not met]
    return met + ("\n\nWhat is in the way, by the profiles below (thousands of instructions by crate):\n\n" + "\n".join(missed) if missed else "")
