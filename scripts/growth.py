#!/usr/bin/env python3
"""Reckons what ten million accounts and 5,000 requests a second take, from what requests cost at the table.

Reads docs/budgets.json, which a test measures and compares, and the functions' memory in template.yaml. Writes
docs/growth.md and its charts, docs/growth/*.svg. `just growth-anew` runs it; --check says whether they are current.
"""

import argparse
import collections
import json
import math
import pathlib
import random
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
ACCOUNTS = 10_000_000
RATE = 5_000
MONTH = 30 * 86_400

# What is asked, as parts of 10,000, the function that answers, and how long it works without a hash and hashes, in ms.
# Assumed: applications ask much more than people sign in. 1 vCPU is 1,769 MB; a hash takes HASH_MS of one.
HASH_MS = 25
MIX = {
    "read the profile": (6900, "profile", 6, 0),
    "read the profile by an API token": (500, "profile", 6, 0),
    "read a picture": (800, "refresh", 8, 0),
    "refresh": (900, "refresh", 10, 0),
    "sign in": (450, "login", 14, 1),
    "sign in, new device": (60, "login", 18, 1),
    "sign in, wrong password": (90, "login", 12, 1),
    "sign out": (150, "login", 10, 0),
    "change the profile": (100, "profile", 10, 0),
    "make an API token": (10, "profile", 14, 0),
    "change the password": (10, "profile", 16, 2),
    "upload a picture": (10, "profile", 60, 0),
    "register": (6, "register", 16, 1),
    "register, a code mailed": (8, "register", 120, 1),
    "register, the code proved": (6, "register", 16, 0),
}

# How many items of each kind an account has in the long run; the rest is too little to count or expires within hours.
PER_ACCOUNT = {
    "account account": 1,
    "name claim": 1,
    "email claim": 1,
    "account session": 3,
    # What one does oneself, and the wrong passwords of 90 days.
    "account event": 12 + round(RATE * MIX["sign in, wrong password"][0] / 10_000 * 90 * 86_400 / ACCOUNTS),
    "account token": 0.1,
    "attempts device": 2,
    "avatar picture": 0.2,
}
# Items that stand in an index too, and how much of them.
INDEXED = {"account account": ("listing", 1.0), "name claim": ("claims", 0.6), "email claim": ("claims", 0.6), "account event": ("claims", 0.3)}
OVERHEAD = 100

# US dollars in us-east-1 without free tiers, as listed in 2026; look them up before they decide anything.
PRICES = {
    "read": 0.125e-6, "write": 0.625e-6, "storage": 0.25, "backup": 0.20, "request": 0.20e-6, "gb_second": 0.0000133334,
    "gateway": 1.00e-6, "gateway_beyond": 0.90e-6, "gateway_first": 300e6, "mail": 0.10e-3, "log_gb": 0.50,
}
LOG_BYTES = 450

# What one key of the table or of an index takes a second, and what the service gives an account at first.
KEY_READS, KEY_WRITES = 3_000, 1_000
TABLE_WRITES, TABLE_READS = 40_000, 40_000
FIRST_WRITES, FIRST_READS = 4_000, 12_000
CONCURRENCY = 1_000
GATEWAY_RATE = 10_000


def memory():
    """MB by function, of template.yaml; the text is read as it is, since it has CloudFormation's own tags."""
    found, name = {}, None
    for line in (ROOT / "template.yaml").read_text().splitlines():
        header = re.match(r"  (\w+)Function:$", line)
        name = header[1].lower() if header else name
        size = re.match(r"      MemorySize: (\d+)$", line)
        if size and name:
            found[name] = int(size[1])
    return found


def rates():
    assert sum(part for part, *_ in MIX.values()) == 10_000
    return {what: RATE * part / 10_000 for what, (part, *_) in MIX.items()}


def units(budget):
    """Read and write units of a request, indexes included."""
    reads = budget["read"] + sum(budget["indexes_read"].values())
    return reads, budget["write"] + sum(budget["indexes_write"].values())


def shared_keys(budgets):
    """What each key that many people share takes a second: (name, used, limit)."""
    rate = rates()

    def total(field, of):
        return sum(rate[what] * budgets[what][field].get(of, 0) for what in MIX)

    registered = rate["register"] + rate["register, the code proved"]
    accounts = total("indexes_write", "listing")
    # The rest of what is written to that index is events.
    claims = 2 * registered
    events = total("indexes_write", "claims") - claims
    return [
        ("`counter#number`, the last account number", total("partitions_written", "counter"), KEY_WRITES),
        # In a transaction, so twice.
        ("`total#0…15`, each", 2 * total("partitions_written", "total") / 16, KEY_WRITES),
        ("`setting`, read by registrations", total("partitions_read", "setting"), KEY_READS),
        ("index `listing`, each of 8", accounts / 8, KEY_WRITES),
        ("index `claims`, events, each of 8", events / 8, KEY_WRITES),
        ("index `claims`, the commonest first letter (15 %)", 0.15 * claims, KEY_WRITES),
    ]


def listing(items, page=100, skipped=500, partitions=8):
    """Read units of an administrator's first page of accounts, of each account that is passed on the way to a later
    one, and of the largest share of a page that one of the index's partitions bears."""

    def queries(accounts):
        read = (-(-accounts // partitions) + 1) * (items["account account"] + OVERHEAD)
        # Indexes are read with eventual consistency, at half of the price.
        return math.ceil(read / 4096) / 2

    totals = 16
    return partitions * queries(page + 1) + totals, partitions * queries(skipped) / skipped, queries(page + 1)


def busiest_accounts(budgets, seconds=30):
    """Throws requests at accounts of which a few are much busier than the rest (Zipf), and returns the most units that
    one account's partition took within one second: reads, writes."""
    chance = random.Random(1)
    what, weights = list(MIX), [part for part, *_ in MIX.values()]
    most_read = most_written = 0.0
    for _ in range(seconds):
        read, written = collections.Counter(), collections.Counter()
        for asked in chance.choices(what, weights, k=RATE):
            # The inverse of Zipf's distribution function with exponent 1 over all accounts.
            account = int(ACCOUNTS ** chance.random())
            budget = budgets[asked]
            if "account" in budget["partitions_read"] or "account" in budget["partitions_written"]:
                reads, writes = units(budget)
                read[account] += reads
                written[account] += writes
        most_read = max(most_read, max(read.values()))
        most_written = max(most_written, max(written.values()))
    return most_read, most_written


def concurrency():
    """How many of each function run at a time, and their GB-seconds a month."""
    sizes, rate = memory(), rates()
    running, gb_seconds = collections.Counter(), 0.0
    for what, (_, function, base, hashes) in MIX.items():
        # What computes takes longer on less than a whole processor; what waits doesn't.
        seconds = (base + hashes * HASH_MS * max(1.0, 1769 / sizes[function])) / 1000
        running[function] += rate[what] * seconds
        gb_seconds += rate[what] * seconds * sizes[function] / 1024 * MONTH
    return running, gb_seconds, sizes


def storage(items):
    rows = []
    for kind, per_account in PER_ACCOUNT.items():
        size = items[kind]
        index, part = INDEXED.get(kind, ("", 0.0))
        table = ACCOUNTS * per_account * (size + OVERHEAD) / 1e9
        indexed = ACCOUNTS * per_account * (size * part + OVERHEAD) / 1e9 if index else 0.0
        rows.append((kind, size, per_account, table, index, indexed))
    return rows


def costs(budgets, items):
    rate = rates()
    requests = RATE * MONTH
    reads = sum(rate[what] * units(budgets[what])[0] for what in MIX)
    writes = sum(rate[what] * units(budgets[what])[1] for what in MIX)
    gigabytes = sum(table + indexed for *_, table, _, indexed in storage(items))
    _, gb_seconds, _ = concurrency()
    first = min(requests, PRICES["gateway_first"])
    mails = (rate["register, a code mailed"] + rate["sign in, new device"]) * MONTH
    return reads, writes, gigabytes, {
        "HTTP API": first * PRICES["gateway"] + (requests - first) * PRICES["gateway_beyond"],
        "table, reads": reads * MONTH * PRICES["read"],
        "table, writes": writes * MONTH * PRICES["write"],
        "log": requests * LOG_BYTES / 1e9 * PRICES["log_gb"],
        "Lambda, requests": requests * PRICES["request"],
        "Lambda, time": gb_seconds * PRICES["gb_second"],
        "mail": mails * PRICES["mail"],
        "table, storage and backup": gigabytes * (PRICES["storage"] + PRICES["backup"]),
    }


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


def document(budgets, items):
    rate = rates()
    reads, writes, gigabytes, cost = costs(budgets, items)
    running, _, sizes = concurrency()
    hot = shared_keys(budgets)
    first_page, passed, of_one = listing(items)
    most_read, most_written = busiest_accounts(budgets)
    total = sum(cost.values())
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
(`budgets.json`, which `cargo test --test budgets` measures through the service and compares) and from the functions' memory in `template.yaml`.
Nothing here was measured at that size. What is assumed stands at the top of `scripts/growth.py`: the mix of requests, how long each works,
{HASH_MS} ms of a processor for a hash, items per account, and list prices of us-east-1. The engine of the tests reports the capacity units.

<picture>
  <source media="(prefers-color-scheme: dark)" srcset="growth/dark.svg">
  <img src="growth/light.svg" alt="Costs a month by service, and what shared keys take of what one key may">
</picture>

## Capacity, by request

{table(["request", "part", "a second", "read units", "write units", "function"], asked)}

In all **{reads:,.0f} read units and {writes:,.0f} write units a second**. An on-demand table begins at {FIRST_READS:,} and {FIRST_WRITES:,} and grows by itself, to {TABLE_READS:,} of each by default;
warm it up before a move that brings everybody at once. Uploading a picture is by far the dearest write, since DynamoDB counts its bytes twice in a transaction.

## Heat: what one key takes

A key of the table or of an index takes {KEY_READS:,} read and {KEY_WRITES:,} write units a second. These are shared by many people:

{table(["key", "used a second", "may", "share", "is full at requests a second"], keys)}

Issuer and signing keys are read once by each function that starts. The last column is for the same mix; the rate at which registrations alone fill `counter#number` is {KEY_WRITES:,} of them a second. Writes to accounts are spread over the eight partitions of `listing`.

An administrator's page of 100 accounts reads {first_page:g} units: {of_one:g} of each partition of `listing`, which bears {KEY_READS / of_one:,.0f} pages a second, and the shards of `total`.
kite lists by the number of a page and passes those before it, at {passed:.3f} units an account: page 100 costs {first_page + 9_900 * passed:,.0f} units, and the last of ten million accounts {ACCOUNTS * passed:,.0f}. At
{KEY_READS:,} units of each partition that is {ACCOUNTS * passed / 8 / KEY_READS:,.0f} seconds, and a function is ended before. **So at this size far pages can't be had by number**: sproutgate's listing, which has a cursor, the search
and `polygate export` cost what they tell, however far.

An account's own partition took at most {most_read:,.0f} read and {most_written:,.0f} write units within one second, in a simulation of 30 seconds in which accounts are
asked for by Zipf's law (the busiest gets one request in {math.log(ACCOUNTS):.0f} of those that are about anybody's account). An application that reads one account's profile more than {KEY_READS // 2:,} times a second would fill its key.

## Storage

{table(["item", "bytes", "per account", "GB in the table", "GB in an index"], stored)}

In all {gigabytes:,.0f} GB with {OVERHEAD} bytes that DynamoDB adds to each item.

## Functions

{table(["function", "memory", "running at a time"], functions)}

In all **{at_once:,.0f} at a time** on average; a peak of three times that is {3 * at_once:,.0f}. An account has {CONCURRENCY:,} at first. One function hashes one password at a time, so that a hash never waits for another.

## What to raise before

| what | at first | wanted |
|---|---|---|
| Lambda, concurrent executions | {CONCURRENCY:,} | {max(CONCURRENCY, int(3 * at_once) // 500 * 500 + 500):,} |
| HTTP API, requests a second | {GATEWAY_RATE:,} | {max(GATEWAY_RATE, 3 * RATE):,} |
| throttles of the template (stage and routes), reservations of its functions | see its parameters | above the rates of the first table, three times for peaks: signing in is {sum(rate[what] for what in MIX if what.startswith("sign in")):,.0f} a second |
| DynamoDB, write units of a table | {TABLE_WRITES:,} | {max(TABLE_WRITES, int(3 * writes) // 5000 * 5000 + 5000):,} |
| DynamoDB, read units of a table | {TABLE_READS:,} | {max(TABLE_READS, int(3 * reads) // 5000 * 5000 + 5000):,} |
| SES, mails a second | 1 (sandbox), 14 after | {3 * (rate["register, a code mailed"] + rate["sign in, new device"]):,.0f} |

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
    *_, cost = costs(budgets, items)
    share = {name.replace("`", ""): 100 * used / limit for name, used, limit in shared_keys(budgets)}
    rows = [("US $ a month", "", cost), ("Shared keys: % of what one takes", " %", share)]
    written = {"growth.md": document(budgets, items)}
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
