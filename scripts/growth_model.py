"""What growth.py reckons with: the assumed mix of requests, prices and limits, and what follows from them."""

import collections
import json
import math
import pathlib
import random
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
ACCOUNTS = 10_000_000
RATE = 5_000
MONTH = 30 * 86_400

# What is asked, as parts of 10,000, the function that answers, and how long it works without a hash and hashes, in ms.
# Assumed: applications ask much more than people sign in. 1 vCPU is 1,769 MB; a hash takes HASH_MS of one.
HASH_MS = 25
MIX = {
    "read the profile": (6860, "profile", 6, 0),
    "read the profile by an API token": (500, "profile", 6, 0),
    "read a picture": (800, "refresh", 8, 0),
    "refresh": (900, "refresh", 10, 0),
    "sign in": (450, "login", 14, 1),
    "sign in, new device": (60, "login", 18, 1),
    "sign in, wrong password": (90, "login", 12, 1),
    "sign in, unknown name": (40, "login", 12, 1),
    "sign out": (150, "login", 10, 0),
    "change the profile": (100, "profile", 10, 0),
    "make an API token": (10, "profile", 14, 0),
    "change the password": (10, "profile", 16, 2),
    "upload a picture": (10, "profile", 60, 0),
    "register": (6, "register", 16, 1),
    "register, a code mailed": (8, "register", 120, 1),
    "register, the code proved": (6, "register", 16, 0),
}

# The routes by which they come, if all applications speak the contract that most of a kind is for.
ROUTES = {
    "/api/v1/profile": ["read the profile", "read the profile by an API token", "change the profile"],
    "/storage/avatars/{file}": ["read a picture"],
    "/api/v1/auth/refresh": ["refresh"],
    "/api/v1/auth/login": ["sign in", "sign in, new device", "sign in, wrong password", "sign in, unknown name"],
    "/api/v1/auth/logout": ["sign out"],
    "/api/v1/tokens": ["make an API token"],
    "/api/v1/auth/change-password": ["change the password"],
    "/api/auth/avatar": ["upload a picture"],
    "/api/v1/auth/register": ["register"],
    "/api/auth/register": ["register, a code mailed"],
    "/api/auth/verify-email": ["register, the code proved"],
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
    "nobody event": round(RATE * MIX["sign in, unknown name"][0] / 10_000 * 90 * 86_400 / ACCOUNTS, 1),
    "attempts device": 2,
    "avatar picture": 0.2,
}
# Items that stand in an index too, and how much of them.
INDEXED = {
    "account account": ("listing", 1.0), "name claim": ("claims", 0.6), "email claim": ("claims", 0.6),
    "account event": ("claims", 0.3), "nobody event": ("claims", 0.3),
}
OVERHEAD = 100

# US dollars in us-east-1 without free tiers, as listed in 2026; look them up before they decide anything. Those that `just bench` reckons with too are its.
LISTED = {one["key"]: one["dollars"] for one in json.loads((ROOT / "bench/prices.json").read_text())["prices"]}
PRICES = {name: LISTED[name] / 1e6 for name in ("read", "write", "request", "gateway")} | {name: LISTED[name] for name in ("gb_second", "log_gb", "storage_gb")}
PRICES |= {"gateway_beyond": 0.90e-6, "gateway_first": 300e6, "mail": 0.10e-3}
# A request's line of some 950, Lambda's of its start and its end, some 400 together, and 26 that CloudWatch adds to each.
LOG_BYTES = 1_430

# What one key of the table or of an index takes a second, and what the service gives an account at first.
KEY_READS, KEY_WRITES = 3_000, 1_000
TABLE_WRITES, TABLE_READS = 40_000, 40_000
FIRST_WRITES, FIRST_READS = 4_000, 12_000
CONCURRENCY = 1_000
GATEWAY_RATE = 10_000
# A peak is so many times the average.
PEAK = 3


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


def throttles():
    """Requests a second that template.yaml lets by: the stage's default for each route, and each route's own."""
    text = (ROOT / "template.yaml").read_text()
    default = re.search(r"^  ThrottleRate:\n(?:    .*\n)*?    Default: (\d+)$", text, re.MULTILINE)
    own = re.findall(r'^        "ANY (/\S+)": \{ ThrottlingRateLimit: (\d+), ThrottlingBurstLimit: \d+ \}$', text, re.MULTILINE)
    return int(default[1]), {route: int(limit) for route, limit in own}


def constant(file, name):
    """The number of a constant of the core: of seconds where it is a time."""
    text = (ROOT / "shared/src/identity" / file).read_text()
    return int(re.search(rf"const {name}: \w+ = (?:Duration::from_secs\()?([\d_]+)", text)[1].replace("_", ""))


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

    processes = PEAK * sum(concurrency()[0].values())
    keys_read = budgets["read the signing keys, in a process that starts"]["partitions_read"]["signing"]
    reread, unknown = (processes * keys_read / constant("key_ring.rs", name) for name in ("KEPT_FOR", "RELOAD_GAP"))
    registered = rate["register"] + rate["register, the code proved"]
    accounts = total("indexes_write", "listing")
    # The rest of what is written to that index is events.
    claims = 2 * registered
    events = total("indexes_write", "claims") - claims
    return [
        ("`counter#number`, the last account number", total("partitions_written", "counter"), KEY_WRITES),
        ("`total#0…15`, each", total("partitions_written", "total") / 16, KEY_WRITES),
        ("`nobody#0…7`, unknown names, each", total("partitions_written", "nobody") / 8, KEY_WRITES),
        ("`setting`, read by registrations", total("partitions_read", "setting"), KEY_READS),
        ("`signing`, reread by every process", reread, KEY_READS),
        ("`signing`, while tokens name unknown keys", unknown, KEY_READS),
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


# Partitions that are one person's, and what each is of.
PERSONAL = {
    "account": "an account with its sessions, tokens and events", "avatar": "its picture", "name": "its name",
    "attempts#identifier": "attempts to sign in by its name",
}


def busiest(budgets, seconds=30):
    """Throws requests at people of whom a few are much busier than the rest (Zipf), and returns for each kind of
    partition that is one person's: the most units that one such took within one second, reads and writes."""
    chance = random.Random(1)
    what, weights = list(MIX), [part for part, *_ in MIX.values()]
    most = {kind: [0.0, 0.0] for kind in PERSONAL}
    for _ in range(seconds):
        took = collections.Counter()
        for asked in chance.choices(what, weights, k=RATE):
            # The inverse of Zipf's distribution function with exponent 1 over all accounts.
            person = int(ACCOUNTS ** chance.random())
            for side, field in enumerate(("partitions_read", "partitions_written")):
                for kind, used in budgets[asked][field].items():
                    if kind in PERSONAL:
                        took[kind, side, person] += used
        for (kind, side, _), used in took.items():
            most[kind][side] = max(most[kind][side], used)
    return most


def one_person(budgets):
    """What one person's partition bears: (kind, request, units, how many of it a second fill the key), the dearest
    read and the dearest write of each kind."""
    rows = []
    for kind in PERSONAL:
        for field, limit, unit in (("partitions_read", KEY_READS, "read"), ("partitions_written", KEY_WRITES, "write")):
            used, asked = max((budgets[asked][field].get(kind, 0), asked) for asked in MIX)
            if used:
                rows.append((kind, asked, used, unit, limit / used))
    return rows


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
        "table, storage and backup": gigabytes * PRICES["storage_gb"],
    }
