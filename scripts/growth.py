#!/usr/bin/env python3
"""Reckons what ten million accounts and 5,000 requests a second take, from what requests cost at the table.

Reads docs/budgets.json and docs/budgets-endpoints.json, which tests measure and compare, and what template.yaml gives
functions and routes; the reckoning is in growth_model.py. Writes docs/growth.md and its charts, docs/growth/*.svg.
`just growth-anew` runs it; --check says whether they are current.
"""

import argparse
import json
import math
import sys

from growth_model import (
    ACCOUNTS, CONCURRENCY, FIRST_READS, FIRST_WRITES, GATEWAY_RATE, HASH_MS, KEY_READS, KEY_WRITES, MIX, OVERHEAD, PEAK,
    PERSONAL, RATE, ROOT, ROUTES, TABLE_READS, TABLE_WRITES, busiest, concurrency, constant, costs, listing, one_person,
    rates, shared_keys, storage, throttles, units,
)

DOCS = ROOT / "docs"


def chart(rows, dark):
    """Costs a month and the shares of shared keys, as one SVG."""
    # Only where something is drawn: the check needs nothing that has to be installed.
    import charts
    import matplotlib.pyplot as plt

    ink, _ = charts.THEMES["dark" if dark else "light"]
    bar = "#6ea8fe" if dark else "#2f5bd7"
    charts.begin(ink, fonts="none")
    figure, sides = plt.subplots(1, 2, figsize=(10, 3.4))
    for axes, (title, unit, bars) in zip(sides, rows):
        names, values = list(bars), list(bars.values())
        axes.barh(names[::-1], values[::-1], color=bar)
        for place, value in enumerate(values[::-1]):
            told = f"{value:.2f}{unit}" if unit else f"{value:,.0f}"
            axes.annotate(told, (value, place), (4, 0), textcoords="offset points", va="center", color=ink)
        axes.set_title(title, color=ink, loc="left")
        axes.set_xlim(0, max(values) * 1.25)
        charts.bare(axes, ink)
        axes.set_xticks([])
    figure.tight_layout()
    return charts.svg(figure)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def round_up(number, to):
    return math.ceil(number / to) * to


def routes_to_raise():
    """What the mix asks of each route at a peak, where the template lets less by: (route, now, average, wanted)."""
    default, own = throttles()
    rate = rates()
    rows = []
    for route, kinds in ROUTES.items():
        average, now = sum(rate[what] for what in kinds), own.get(route)
        if PEAK * average > (default if now is None else now):
            told = f"{default:,} (`ThrottleRate`)" if now is None else f"{now:,} (its own)"
            rows.append((f"`{route}`", told, f"{average:,.0f}", f"{round_up(PEAK * average, 10):,}"))
    return rows


def by_endpoint(endpoints):
    """Rows of the endpoints' capacity: (contract and request, calls, read units, write units, shared partitions)."""
    many = ("counter", "nobody", "setting", "signing", "total")
    rows = []
    for name, spent in endpoints.items():
        shared = sorted({kind for kind in many if spent["partitions_read"].get(kind) or spent["partitions_written"].get(kind)})
        calls = sum(spent["calls"].values())
        rows.append((name, calls, *(f"{value:g}" for value in units(spent)), ", ".join(f"`{kind}`" for kind in shared) or "–"))
    return rows


def document(budgets, items, endpoints):
    rate = rates()
    reads, writes, gigabytes, cost = costs(budgets, items)
    running, _, sizes = concurrency()
    hot = shared_keys(budgets)
    first_page, passed, of_one = listing(items)
    most = busiest(budgets)
    total = sum(cost.values())
    default, own = throttles()
    most_matches = constant("search.rs", "MOST_MATCHES")
    reload_gap, kept_for = constant("key_ring.rs", "RELOAD_GAP"), constant("key_ring.rs", "KEPT_FOR")
    nobody = budgets["sign in, unknown name"]["partitions_written"]["nobody"]
    starting = budgets["read the signing keys, in a process that starts"]
    spread = budgets["sign in, unknown name"]["indexes_write"]["claims"]
    picture = budgets["read a picture"]["partitions_read"]["avatar"]
    people = [
        (f"`{kind}`, {PERSONAL[kind]}", what, f"{used:g} {unit}", f"{bears:,.0f}") for kind, what, used, unit, bears in one_person(budgets)
    ]
    simulated = [
        (f"`{kind}`", f"{read:,.0f}", f"{written:,.0f}", f"{100 * max(read / KEY_READS, written / KEY_WRITES):.0f} %")
        for kind, (read, written) in most.items()
    ]
    asked = [
        (what, f"{part / 100:g} %", f"{rate[what]:,.0f}", *(f"{value:g}" for value in units(budgets[what])), MIX[what][1])
        for what, (part, *_) in MIX.items()
    ]
    stored = [
        (kind, f"{size:,}", f"{per:g}", f"{in_table:,.1f}", f"`{index}` {indexed:,.1f}" if index else "–")
        for kind, size, per, in_table, index, indexed in storage(items)
    ]
    keys = [(name, f"{used:,.1f}", f"{limit:,}", f"{100 * used / limit:.2f} %", f"{RATE * limit / used:,.0f}") for name, used, limit in hot]
    functions = [(name, f"{sizes[name]:,} MB", f"{running[name]:,.0f}") for name in sorted(running)]
    bills = [(what, f"{dollars:,.0f}") for what, dollars in cost.items()] + [("**all**", f"**{total:,.0f}**")]
    at_once = sum(running.values())
    return f"""# Growth

What ten million accounts and 5,000 requests a second take: `just growth-anew` reckons it from what requests cost at the table
(`budgets.json`, which `cargo test --test budgets` measures through the service and compares, and `budgets-endpoints.json`) and from the functions' memory and the throttles in `template.yaml`.
Nothing here was measured at that size. What is assumed stands at the top of `scripts/growth_model.py`: the mix of requests, how long each works,
{HASH_MS} ms of a processor for a hash, items per account, and list prices of us-east-1. The engine of the tests reports the capacity units.

<picture>
  <source media="(prefers-color-scheme: dark)" srcset="growth/dark.svg">
  <img src="growth/light.svg" alt="Costs a month by service, and what shared keys take of what one key may">
</picture>

## Capacity, by request

{table(["request", "part", "a second", "read units", "write units", "function"], asked)}

In all **{reads:,.0f} read units and {writes:,.0f} write units a second**. An on-demand table begins at {FIRST_READS:,} and {FIRST_WRITES:,} and grows by itself, to {TABLE_READS:,} of each by default;
warm it up before a move that brings everybody at once. Uploading a picture is by far the dearest write, since DynamoDB counts its bytes twice in a transaction.

## Capacity, by endpoint

Each of the {len(endpoints)} endpoints once, with success, as the tests of faults play it (`cargo test --test conversations what_every_endpoint_costs`): in a pool of a few accounts, with a small picture, kite's sign-in from a
new device, and the first registrations at zeaya and mcphub, whose answers have a token, making the pool's first key. Lists, searches and trails read more where there is more to tell, a unit for each 4 KB; the next chapter says how far.
"Shared" are partitions that belong to nobody in particular. What a function reads at its start and keeps is left out.

{table(["endpoint", "calls", "read units", "write units", "shared"], by_endpoint(endpoints))}

## Heat: what one key takes

A key of the table or of an index takes {KEY_READS:,} read and {KEY_WRITES:,} write units a second. These are shared by many people:

{table(["key", "used a second", "may", "share", "is full at requests a second"], keys)}

The last column is for the same mix; the rate at which registrations alone fill `counter#number` is {KEY_WRITES:,} of them a second. Writes to accounts are spread over the eight partitions of `listing`.

Anybody can sign in under names that nobody has. Each such attempt is an event about nobody, {nobody:g} unit in one of the eight partitions `nobody#…`, where nothing else stands and which together take {8 * KEY_WRITES / nobody:,.0f} of them a second.
Each is {spread:g} unit in one of the index's eight partitions for events too, and those are everybody's: what fills them keeps every other event waiting, and the registrations and changes that it belongs to. Limits by source and the routes' throttles come before.

Each process reads `signing` when it starts and every {kept_for} s, and where a token names a key that it doesn't know at most every {reload_gap} s. The rows are for the processes of a peak;
{KEY_READS / starting["partitions_read"]["signing"]:,.0f} of them may start within one second.

An administrator's page of 100 accounts reads {first_page:g} units: {of_one:g} of each partition of `listing`, which bears {KEY_READS / of_one:,.0f} pages a second, and the shards of `total`.
kite lists by the number of a page and passes those before it, at {passed:.3f} units an account: page 100 costs {first_page + 9_900 * passed:,.0f} units, and the last of ten million accounts {ACCOUNTS * passed:,.0f}. At
{KEY_READS:,} units of each partition that is {ACCOUNTS * passed / 8 / KEY_READS:,.0f} seconds, and a function is ended before. **So at this size far pages can't be had by number**: sproutgate's listing, which has a cursor, and `polygate export`
cost what they tell, however far. **The search can't be used for short beginnings**: it reads all that begins so, refuses where that is more than {most_matches:,} names or as many addresses, and of ten million accounts that is any
beginning which more than one in {ACCOUNTS // most_matches:,} has: mostly those of one or two letters, and of longer ones those that are common.

One person's partitions are a key each too. By the dearest request to each:

{table(["partition", "request", "units", "a second, of one person"], people)}

In a simulation of 30 seconds in which people are asked for by Zipf's law (the busiest gets one request in {math.log(ACCOUNTS):.0f}), the busiest partitions took within one second:

{table(["partition", "read units", "write units", "share"], simulated)}

**A picture is the first to be hot**: one of the largest size is {picture:g} units, so {KEY_READS / picture:,.0f} requests a second for one person's fill its key, and what is beyond is answered 503 after the SDK's repetitions. What helps is that it
isn't asked for: its address changes with it and is answered `Cache-Control: … immutable`, so a browser asks once, and a CDN before `/storage/avatars/` once for all. The `ETag` saves bytes but no units, since
the picture is read to be compared. An application that reads one account's profile more than {KEY_READS / budgets["read the profile"]["partitions_read"]["account"]:,.0f} times a second would fill its key.

## Storage

{table(["item", "bytes", "per account", "GB in the table", "GB in an index"], stored)}

In all {gigabytes:,.0f} GB with {OVERHEAD} bytes that DynamoDB adds to each item.

## Functions

{table(["function", "memory", "running at a time"], functions)}

In all **{at_once:,.0f} at a time** on average; a peak of {PEAK} times that is {PEAK * at_once:,.0f}. An account has {CONCURRENCY:,} at first. One function hashes one password at a time, so that a hash never waits for another.

## What to raise before

| what | at first | wanted |
|---|---|---|
| Lambda, concurrent executions | {CONCURRENCY:,} | {max(CONCURRENCY, int(PEAK * at_once) // 500 * 500 + 500):,} |
| HTTP API, requests a second | {GATEWAY_RATE:,} | {max(GATEWAY_RATE, PEAK * RATE):,} |
| concurrency reserved for functions | none: a parameter of each (`LoginConcurrency` …) | none, or above {PEAK} times the table before |
| DynamoDB, write units of a table | {TABLE_WRITES:,} | {max(TABLE_WRITES, int(PEAK * writes) // 5000 * 5000 + 5000):,} |
| DynamoDB, read units of a table | {TABLE_READS:,} | {max(TABLE_READS, int(PEAK * reads) // 5000 * 5000 + 5000):,} |
| SES, mails a second | 1 (sandbox), 14 after | {PEAK * (rate["register, a code mailed"] + rate["sign in, new device"]):,.0f} |

And the throttles of `template.yaml`, which hold every route: {default:,} requests a second by the parameter `ThrottleRate`, or the route's own number in `RouteSettings`, which no parameter changes: **edit it there**, and its burst with it
(twice as much). These are too low for a peak of {PEAK} times the mix, if all applications come by one route of a kind; the twin of each under `/{{mount}}` counts for itself:

{table(["route", "now", "average", "wanted"], routes_to_raise())}

Rather than raising `ThrottleRate` for all routes to the highest of these, give each of them a line in `RouteSettings`.

## Cost a month

{table(["service", "US $"], bills)}

Without reserved or provisioned capacity, free tiers, data transfer and taxes. What saves most:

- Pictures are read from the table, {budgets["read a picture"]["read"]:g} units for the largest of them, which the budget is for: here {100 * rate["read a picture"] * budgets["read a picture"]["read"] / reads:.0f} % of all reads. Their addresses
  change with what they show, so a CDN before `/storage/avatars/` may keep them for ever.
- Most requests read a profile to learn whether a token is good. An application that verifies tokens itself (`/.well-known/jwks.json`) and asks only where a sign-out must count at once saves its part
  of the gateway, of Lambda and of the reads.
- Mails are those of codes and of sign-ins from new devices.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; say whether docs/growth.md is current")
    check = parser.parse_args().check
    kept = json.loads((DOCS / "budgets.json").read_text())
    budgets, items = kept["requests"], kept["items"]
    endpoints = json.loads((DOCS / "budgets-endpoints.json").read_text())
    *_, cost = costs(budgets, items)
    share = {name.replace("`", ""): 100 * used / limit for name, used, limit in shared_keys(budgets)}
    rows = [("US $ a month", "", cost), ("Shared keys: % of the limit", " %", share)]
    written = {"growth.md": document(budgets, items, endpoints)}
    if not check:
        written |= {f"growth/{name}.svg": chart(rows, name == "dark") for name in ("light", "dark")}
    stale = [name for name, text in written.items() if not (DOCS / name).exists() or (DOCS / name).read_text() != text]
    if check and stale:
        sys.exit(f"growth: {', '.join(stale)} stale; `just growth-anew` writes them anew")
    for name in stale:
        (DOCS / name).write_text(written[name])
    print(f"growth: {'current' if check else ', '.join(stale) or 'all current'}")


if __name__ == "__main__":
    main()
