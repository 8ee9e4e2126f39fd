"""What was aimed at, what was measured, and whether it was reached: ratios of one run."""

from .setup import FUNCTIONS


def best(services, operation):
    """(name, what a processor's second answers) of the best peer."""
    found = {name: one["operations"][operation]["per_cpu_second"]["median"] for name, one in services.items() if name != "Polygate" and operation in one["operations"]}
    name = max(found, key=found.get)
    return name, found[name]


def reckoned(results):
    """(target, measured, whether it was reached) for each."""
    starts = {name: one["answered_ms"]["median"] for name, one in results["cold"]["starts"].items()}
    services, work = results["throughput"]["services"], results["work"]
    ours = services["Polygate"]
    rows = []
    for name in FUNCTIONS:
        ratio = starts[name] / starts["floor"]
        rows.append((f"cold start of `{name}` ≤ 2.7 × the bare floor", f"{ratio:.2f} ×", ratio <= 2.7))
    slowest = max(starts[name] for name in FUNCTIONS)
    ratio = starts["Node, SDK v3"] / slowest
    rows.append(("cold start ≥ 30 × faster than Node with SDK v3, the slowest of the five", f"{ratio:.1f} ×", ratio >= 30))
    ratio = work["hash"]["ours_ms"]["median"] / work["hash"]["c_ms"]["median"]
    rows.append(("argon2 ≤ 1.0 × the reference C library", f"{ratio:.2f} ×", ratio <= 1.0))
    for operation, told, least in [("read", "session read", 10), ("refresh", "refresh", 5)]:
        name, value = best(services, operation)
        ratio = ours["operations"][operation]["per_cpu_second"]["median"] / value
        rows.append((f"{told} ≥ {least} × the best peer's for a processor's second", f"{ratio:.1f} × {name}", ratio >= least))
    for key, told in [("at_rest_mib", "at rest"), ("peak_mib", "at most")]:
        name, least = min(((name, one[key]) for name, one in services.items() if name != "Polygate"), key=lambda pair: pair[1])
        ratio = ours[key] / least
        rows.append((f"resident memory {told} ≤ ¼ of the leanest peer's", f"{ratio:.2f} of {name}", ratio <= 0.25))
    for kind, most in [("refresh", 300), ("verify", 100)]:
        used = work["handler"][kind]["us"]["median"]
        rows.append((f"handler's work beyond hash and store for {kind} ≤ {most} µs of a processor", f"{used:.0f} µs", used <= most))
    for name, one in work["zip_bytes"].items():
        rows.append((f"zip of `{name}` ≤ 4 MB", f"{one['zip'] / 1e6:.2f} MB", one["zip"] <= 4_000_000))
    for kind, most in [("verify", 1), ("me", 1), ("refresh", 2), ("login", 3), ("register", 3)]:
        trips = work["store"][kind]["round_trips"]
        rows.append((f"round trips of {kind} ≤ {most}", str(trips), trips <= most))
    accounts = results["growth"]["accounts"]
    small, large = (accounts[size]["requests"] for size in (min(accounts, key=int), max(accounts, key=int)))
    for kind in small:
        if "instructions" in small[kind]:
            ratio = large[kind]["instructions"] / small[kind]["instructions"]
            rows.append((f"instructions of {kind} stay flat with a hundred times the accounts (± 5 %)", f"{ratio:.3f} ×", abs(ratio - 1) <= 0.05))
    return rows


def targets(results, table):
    return table(["target", "measured", "met"], [(target, measured, "yes" if met else "**no**") for target, measured, met in reckoned(results)])
