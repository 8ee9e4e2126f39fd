"""What requests cost by public prices: of the processor time, round trips and capacity units that the stage `work` measured.

Nothing is measured here. What is assumed is in ASSUMED, and what is paid in prices.json, each with its source and date.
"""

import json
import math

from .common import ROOT, Failure, keep, kept, say  # It has scripts/ looked in.

from growth_model import LISTED, LOG_BYTES, memory

FULL = 1769
SIZES = [128, 256, 384, 512, 768, 1024, 1536, 1769]
ASSUMED = {
    # Of a round trip to the table, as DynamoDB's own metrics mostly show it.
    "round_trip_ms": 5.0,
    "slow_round_trip_ms": 15.0,
    # What a function may take, for 99 of 100 requests: without a password's hash, and with it.
    "p99_ms": 100.0,
    "p99_hash_ms": 250.0,
    # A function's memory must be at least twice what was resident.
    "room": 2.0,
    "log_bytes": LOG_BYTES,
    "bytes_per_person": 4_000,
    # What one active person does in a month.
    "month": {"login": 4, "refresh": 60, "me": 120, "verify": 120, "register": 0.1},
}
PEOPLE = [10_000, 250_000, 1_000_000]


def prices():
    return json.loads((ROOT / "bench/prices.json").read_text())


def milliseconds(work, kind, size, slow):
    """What a function of this size takes, as billed; `slow`: as one in a hundred takes."""
    measured = work["processor"][kind]
    processor = measured["dear_us" if slow else "all_us"]["median"] / 1000
    trips = work["store"][kind]["round_trips"]
    return processor * max(1.0, FULL / size) + trips * ASSUMED["slow_round_trip_ms" if slow else "round_trip_ms"]


def dollars(work, kind, size):
    """Of a million, by what is paid for."""
    store = work["store"][kind]
    return {
        "gateway": LISTED["gateway"],
        "lambda requests": LISTED["request"],
        "lambda time": 1e6 * math.ceil(milliseconds(work, kind, size, False)) / 1000 * size / 1024 * LISTED["gb_second"],
        "table reads": store["read_units"] * LISTED["read"],
        "table writes": store["write_units"] * LISTED["write"],
        "log": 1e6 * ASSUMED["log_bytes"] / 1e9 * LISTED["log_gb"],
    }


def sizes(work):
    """The cheapest memory of each function that holds the p99 of all its requests, and what the others come to."""
    found = {}
    for function in sorted({one["function"] for one in work["kinds"].values()}):
        kinds = [kind for kind, one in work["kinds"].items() if one["function"] == function]
        points = []
        for size in SIZES:
            slow = {kind: milliseconds(work, kind, size, True) for kind in kinds}
            limit = {kind: ASSUMED["p99_hash_ms" if work["kinds"][kind]["hashes"] else "p99_ms"] for kind in kinds}
            room = size >= ASSUMED["room"] * max(work["processor"][kind]["most_mib"]["most"] for kind in kinds)
            points.append({
                "size": size, "holds": room and all(slow[kind] <= limit[kind] for kind in kinds), "room": room,
                "p99_ms": {kind: round(value, 1) for kind, value in slow.items()},
                "time_dollars": {kind: round(dollars(work, kind, size)["lambda time"], 4) for kind in kinds},
            })
        holding = [point for point in points if point["holds"]]
        if not holding:
            raise Failure(f"no size of {function} holds the p99 that is asked for")
        found[function] = {"points": points, "chosen": min(holding, key=lambda point: sum(point["time_dollars"].values()))["size"]}
    return found


def of_others(tiers, people):
    """Dollars a month, or nothing where there is no list price for so many."""
    total, below = 0.0, 0
    for upto, rate in tiers:
        upto = math.inf if upto is None else upto
        total += max(0, min(people, upto) - below) * rate
        below = upto
        if people <= upto:
            return round(total, 2)
    return None


def rounded(parts):
    return {part: round(value, 4) for part, value in parts.items()}


def stage(options):
    work, listed = kept("work"), prices()
    chosen = sizes(work)
    deployed = memory()
    million = {kind: rounded(dollars(work, kind, deployed[one["function"]])) for kind, one in work["kinds"].items()}
    cheapest = {kind: rounded(dollars(work, kind, chosen[one["function"]]["chosen"])) for kind, one in work["kinds"].items()}
    month = {}
    for people in PEOPLE:
        asked = sum(people * times / 1e6 * sum(million[kind].values()) for kind, times in ASSUMED["month"].items())
        month[str(people)] = {"Polygate": round(asked + people * ASSUMED["bytes_per_person"] / 1e9 * LISTED["storage_gb"], 2)}
        month[str(people)] |= {name: of_others(one["tiers"], people) for name, one in listed["others"].items()}
    say("cost: " + ", ".join(f"{kind} ${sum(parts.values()):.2f}" for kind, parts in million.items()) + " a million")
    keep("cost", work["quick"], {"assumed": ASSUMED, "sizes": chosen, "deployed": deployed, "million": million, "cheapest": cheapest, "month": month})
