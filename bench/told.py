"""The words and tables of docs/performance.md."""

from .common import NAMES, ROOT, median, ratio
from .compare import APART, COUNTED, apart
from .cost import LISTED, prices
from .targets import by_share, targets

READ_TRIPS = {"verify": 1, "verify_new": 1, "me": 1, "refresh": 2, "login": 3, "register": 3}
WRITTEN = "<!-- Written by `just bench`; the words are in bench/told.py, the numbers in docs/performance/*.json. -->"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def picture(stage, alt):
    return f"""<picture>
  <source media="(prefers-color-scheme: dark)" srcset="performance/{stage}-dark.svg">
  <img src="performance/{stage}-light.svg" alt="{alt}">
</picture>"""


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def of(spread, digits=0):
    """The median, with what the rounds lie between."""
    return f"{spread['median']:,.{digits}f} ({spread['least']:,.{digits}f}–{spread['most']:,.{digits}f})"


def machine(result):
    on = result["machine"]
    return f"{on['processor']}, {on['processors']} processors, {on['memory_gib']} GiB, Linux {on['kernel']}; Rust {on['rust']}, Node {on['node']}, Python {on['python']}; {result['at']}"


def cold(result):
    floor = result["starts"]["floor"]["answered_ms"]
    rows = []
    for name, start in result["starts"].items():
        answered = start["answered_ms"]
        rows.append((name, of(answered, 2), number(start["ready_ms"]["median"], 2), f"{ratio(answered, floor):.2f} ×", number(start["most_mib"]["median"])))
    profiled = [(name, number(one["all"] / 1e3), ", ".join(f"{crate} {number(count / 1e3)}" for crate, count in one["crates"].items())) for name, one in result["profiles"].items()]
    return f"""## Cold start

From exec to the first answered event, played through Lambda's runtime API, on a processor of its own; the store, a TLS endpoint with a chain of RSA-2048 certificates before it
and the player are on the other. `floor` is a bare `lambda_http` function that reads nothing. Each of our functions reads its signing keys while it starts, which is the one read; *another read* is an event that
reads the store too (a session and its account, a setting). Node and Python read one item with the SDK of their language, in a loop over the runtime API that is leaner than Lambda's own.
Medians of {result['runs']} starts in turns ({result['slow_runs']} for Node and Python), and what they lie between.

{picture('cold', 'Milliseconds from exec to the first answer: the floor, our five functions, Node, Python')}

{table(["function", "ms to the answer", "ms until ready", "to the floor", "MiB at most"], rows)}

Instructions of a start with its first answer, in thousands, by the crate whose lines they are (callgrind; without the kernel's work for exec, pages and sockets). `libc` is the loader too:

{table(["function", "all", "most of them"], profiled)}
"""


def work(result, hashes):
    processor, counted, store = result["processor"], result["instructions"], result["store"]
    rows = []
    for kind, one in result["kinds"].items():
        used = processor[kind]
        rows.append((NAMES[kind], f"`{one['function']}`", of(used["all_us"]), of(used["first_thread_us"]), number(used["plain_first_thread_us"]["median"]),
                     number(result["handler"][kind]["store_us"]), number(result["handler"][kind]["us"]), number(by_share(result, kind)), number(counted[kind]["all"] / 1e3), number(counted[kind]["first_thread"] / 1e3)))
    used = processor["refresh"]
    rows.append(("nothing: the floor", "`floor`", of(used["floor_all_us"]), of(used["floor_first_thread_us"]), number(used["floor_first_thread_us"]["median"]), "–", "–", "–", number(counted["floor"]["all"] / 1e3), number(counted["floor"]["first_thread"] / 1e3)))
    at_store = [
        (NAMES[kind], one["round_trips"], READ_TRIPS[kind], ", ".join(f"{count} {name}" for name, count in one["calls"].items()), f"{one['read_units']:g}", f"{one['write_units']:g}", number(one["sent_bytes"]), number(one["received_bytes"]))
        for kind, one in store.items() if kind in NAMES
    ]
    ours, c, node = (hashes[name] for name in ("ours_ms", "c_ms", "node_ms"))
    sizes = [(name, number(one["binary"]), number(one["zip"])) for name, one in result["zip_bytes"].items()]
    return f"""## Work of a warm request

What is billed: processor time of a function's own process, many requests through the runtime API, divided by their number. A hash runs on a thread of its own, so the first thread's time is everything else.
The *store's client* makes the calls, their signatures and their JSON: two requests that do next to nothing, one with a read of the store ({number(processor["settings"]["plain_first_thread_us"]["median"])} µs) and one without ({number(processor["health"]["plain_first_thread_us"]["median"])} µs), tell what that takes,
and that is taken for each call. The *handler* is what is left when the floor, which is Lambda's runtime, is taken off too: at most that, since what the client takes more for a larger call, such as two items read at once, is in it. Both are reckoned as multiples of the floor that was measured
beside each request, and told in microseconds of its median, {number(median([value for one in processor.values() for value in one["floor_first_thread_us"]["rounds"]]))}. By its part of the instructions, which the profile below tells by what called them, the handler is less, if one instruction takes as long as another. Instructions are callgrind's, over plain HTTP, as the difference between a run with more requests and one with fewer.
A process remembers the tokens that it verified lately, by their hash, and verifies none twice; session and account are read each time all the same. People present a token for a quarter of an hour, so *verify a token* and *read the profile* are of one
that was presented before; *verify a new token* is of another one each time, with the arithmetic of ES256.

{picture('work', 'Microseconds of a processor for a request, with and without the hash')}

{table(["request", "function", "µs in all", "µs without the hash", "the same over plain HTTP", "of it the store's client", "of it the handler, at most", "the handler by its part of the instructions", "thousand instructions", "of them without the hash"], rows)}

One hash at 19,456 KiB, 2 passes, 1 lane, in milliseconds of a processor: ours {of(ours, 1)}, the reference library in C (argon2-cffi) {of(c, 1)}, the one that the peers on Node have (@node-rs/argon2) {of(node, 1)}, in turns: {ratio(ours, c):.2f} and {ratio(ours, node):.2f} ×.
{HASH}

### Where instructions go

{profiles(result)}

### At the store

By the engine's own answers; calls that are made side by side count as one round trip.

{table(["request", "round trips", "budget", "calls", "read units", "write units", "bytes sent", "bytes received"], at_store)}

### Size

{table(["function", "binary, bytes", "zip, bytes"], sizes)}
"""


HASH = """The three differ by the processor's instructions that they use, since all compute the same: the package in C has those of SSE2, ours has AVX2, the one on Node AVX-512 too, where a processor has it."""


def profiles(result):
    groups = list(next(iter(result["handler"].values()))["shares"])
    rows = []
    for kind, one in result["handler"].items():
        rows.append((NAMES[kind], *(f"{100 * one['shares'][group]:.0f} %" for group in groups), ", ".join(f"{name} {100 * share:.0f} %" for name, share in one["crates"][:8])))
    return f"""Parts of the first thread's instructions, by what called them; and by the crate whose lines they are, inlined ones too.

{table(["request", *groups, "crates"], rows)}"""


def throughput(result):
    operations = ["read", "refresh", "login", "register", "mixed"]
    parts = []
    for operation in operations:
        rows = []
        for name, service in result["services"].items():
            one = service["operations"].get(operation)
            if one is None:
                rows.append((name, "–", "–", "–", "–", "–"))
                continue
            rows.append((name, of(one["per_second"]), of(one["per_cpu_second"]), number(one["cpu_us"]["median"]), number(one["p50_ms"]["median"], 2), number(one["p99_ms"]["median"], 2)))
        parts.append(f"**{operation}**\n\n" + table(["", "a second", "a processor's second", "µs of a processor", "p50 ms", "p99 ms"], rows))
    memory = [(name, number(one["at_rest_mib"]), number(one["peak_mib"])) for name, one in result["services"].items()]
    profiled = [
        (operation, number(one["all"] / 1e3), ", ".join(f"{part} {number(count / 1e3)}" for part, count in one["parts"].items()), ", ".join(f"{crate} {number(count / 1e3)}" for crate, count in one["crates"].items()))
        for operation, one in result["profiles"].items()
    ]
    told = "\n".join(f"- {name}: {one['told']}." for name, one in result["services"].items())
    listed = "\n\n".join(parts)
    mixed = result["mixed"]
    turns = ", ".join(f"{operation} {count} of {seconds:g} s" for operation, (seconds, count) in result["turns"].items())
    return f"""## Throughput and latency, beside others

{told}

Each on one processor with {result['workers']} clients in a closed loop on the other, in turns ({turns}), after {result['loaded']:g} s that don't count; all with SQLite in a file, WAL and `synchronous = FULL`, and argon2id at 19,456 KiB, 2 passes, 1 lane. Limits on
attempts are off where there is a switch; ours has none and counts them. An answer that is not the expected one ends the run.
In a turn each client reads with one token or cookie, as an application does for as long as it is good: ours verifies the signature once.

| | Polygate (kite) | Better Auth | OpenAuth | fastapi-users |
|---|---|---|---|---|
| read | `GET /profile`: token, session and account | `GET /get-session`: session and account | none: tokens are checked by whoever gets them | `GET /users/me`: token in the database, account |
| refresh | `POST /auth/refresh`: rotates, signs ES256 | `GET /token`: reads the session, signs ES256, rotates nothing | `POST /token`: rotates, signs ES256 | none |
| login | one request: session, ES256 token | one request: session | three: authorize, form, code for ES256 token | one request: token in the database |
| register | one request | one request, with a session | six: a form and a mailed code, with a session | one request |

Signing in and registering are a hash before anything else, and the one on Node is quicker than ours (see above). In the mix our reads aren't held up by hashes, which wait for one another instead: half of all requests are answered in less time than at any peer, and
one in a hundred, a sign-in, takes longer.

*mixed* is {mixed['read']} % reads, {mixed['refresh']} % refreshes, {mixed['login']} % logins and {mixed['register']} % registrations; fastapi-users reads where it can't refresh.

{picture('throughput', 'Requests answered by a second of a processor, by service')}

{listed}

**Where our instructions go**, in thousands for a request, with the engine, which is in the same process: by what is called, and by the crate whose lines they are (callgrind; without the kernel's work).

{table(["request", "all", "of them", "by crate"], profiled)}

**MiB of memory**, resident: at rest, and at most after {result['busy']:g} s of the mix besides (OpenAuth: of refreshes, logins and registrations alike); means of {result['starts']} starts

{table(["", "at rest", "at most"], memory)}
"""


def growth(result):
    sizes = sorted(result["accounts"], key=int)
    small, large = (result["accounts"][size] for size in (sizes[0], sizes[-1]))
    rows = []
    for kind, few in small["requests"].items():
        many = large["requests"][kind]
        rows.append((NAMES[kind], of(few["first_thread_us"]), of(many["first_thread_us"]), f"{ratio(many['first_thread_us'], few['first_thread_us']):.2f} ×",
                     " → ".join(number(one["instructions"] / 1e3) for one in (few, many)),
                     " → ".join(f"{one['store']['round_trips']}" for one in (few, many)), " → ".join(f"{one['store']['read_units']:g}, {one['store']['write_units']:g}" for one in (few, many))))
    return f"""## Growth

The same requests with {int(sizes[0]):,} and with {int(sizes[-1]):,} accounts in the store ({small['bytes'] / 1e6:,.0f} and {large['bytes'] / 1e6:,.0f} MB in the engine's file), of {result['people']} people in turn, without the hash and over plain HTTP. Instructions don't tell the two apart, microseconds do a
little: the engine on the other processor has {large['bytes'] / small['bytes']:.0f} times as much to read in, presumably out of caches that both share. A session remembers for a while which tokens it gave, so a refresh takes more the more often one was made just before: other people's, other counts than under *work*.

{picture('growth', 'Microseconds of a processor for a request, by accounts in the store')}

{table(["request", f"µs with {int(sizes[0]):,}", f"µs with {int(sizes[-1]):,}", "", "thousand instructions", "round trips", "read, write units"], rows)}
"""


def cost(result, work_result):
    kinds = work_result["kinds"]
    million = [
        (NAMES[kind], result["deployed"][kinds[kind]["function"]], *(number(value, 2) for value in parts.values()), f"**{sum(parts.values()):,.2f}**",
         f"{sum(result['cheapest'][kind].values()):,.2f} with {result['sizes'][kinds[kind]['function']]['chosen']} MB")
        for kind, parts in result["million"].items()
    ]
    heads = ["", "MB", *next(iter(result["million"].values())), "all", "with the cheapest memory"]
    sizes = []
    for function, one in result["sizes"].items():
        for point in one["points"]:
            held = "yes" if point["holds"] else "no" if point["room"] else "no room"
            held += "".join(f", **{word}**" for word, size in [("cheapest", one["chosen"]), ("deployed", result["deployed"][function])] if size == point["size"])
            slow = ", ".join(f"{kind} {value:g}" for kind, value in point["p99_ms"].items())
            sizes.append((f"`{function}`", point["size"], slow, ", ".join(f"{kind} {value:.2f}" for kind, value in point["time_dollars"].items()), held))
    listed = prices()
    month = []
    for people, one in result["month"].items():
        month.append((f"{int(people):,}", *(number(one[name], 0) if one[name] is not None else "by contract" for name in one)))
    names = list(next(iter(result["month"].values())))
    assumed = result["assumed"]
    asked = ", ".join(f"{times:g} × {NAMES[kind]}" for kind, times in assumed["month"].items())
    paid = [(one["what"], f"{one['dollars']:.10f}".rstrip("0").rstrip("."), one["source"], one["date"]) for one in listed["prices"]] + [(name, "by tier", one["source"], one["date"]) for name, one in listed["others"].items()]
    return f"""## Cost

Reckoned of the work above, not billed: {listed['told']}. Assumed are {assumed['round_trip_ms']:g} ms for a round trip to the table and {assumed['slow_round_trip_ms']:g} ms for a slow one, and that a processor of Lambda is as quick as this machine's. A function gets the part of a processor that its memory
is of 1,769 MB.

A request's log is taken to be {assumed['log_bytes']:,} bytes: its line, Lambda's two of its start and its end, and 26 bytes that CloudWatch counts for each. Lambda bills starts too: if one came with each hundredth request and took 100 ms, that would be {1e4 * 0.1 * result['deployed']['login'] / 1024 * LISTED['gb_second']:.2f} $
for a million. What a deployment costs that nobody uses is told [elsewhere](operations.md#costs).

US $ for a million, with the memory that the template gives:

{table(heads, million)}

The cheapest memory is the least dear that holds a p99 of {assumed['p99_ms']:g} ms, {assumed['p99_hash_ms']:g} ms with a hash, and twice what is resident, for the requests measured here. The template gives more ([why](decisions/0020-memory-of-functions.md)): `login` and `register` answer in half the time for some cents a million,
and `profile` changes passwords and takes pictures too, which aren't measured here.

{table(["function", "MB", "p99, ms", "US $ for the time of a million", "holds"], sizes)}

US $ a month, for people who each do in a month: {asked}. Mail is not in it.

{picture('cost', 'US $ a month for 10 thousand, 250 thousand and a million people')}

{table(["people", *names], month)}

{table(["price", "US $", "source", "date"], paid)}
"""


def agreement(results, again):
    if again is None:
        return ""
    again = apart(results, again)
    within = [name for name, (_, _, by) in again.items() if by <= APART]
    far = len(again) - len(within)
    rows = [(name, f"{one:.3f}", f"{other:.3f}", f"{100 * by:.1f} %") for name, (one, other, by) in list(again.items())[: max(far, 10)]]
    return f"""## Two runs

Of {len(again)} ratios within a run, {len(within) if far else "all"} are the same within {APART:.0%} in another run, whose results are in [performance/again/](performance/again/). {sum(name.startswith(COUNTED) for name in again)} of them are counts of instructions and round trips, the others are of
times and memory. What a target says in microseconds is no ratio, and differs with the machine's speed of the hour. The furthest apart:

{table(["ratio", "this run", "the other", "apart"], rows)}

"""


SHORT = """> **Not to be quoted.** These are the numbers of a short run (`just bench --quick`): `just bench` makes a whole one.

"""


def report(results, again):
    short = SHORT if any(result["quick"] for result in results.values()) else ""
    changes = (ROOT / "docs/performance/changes.md").read_text().replace("](../", "](")
    return f"""{WRITTEN}

# Performance

{short}`just bench` measures this in one run, what is compared in turns: {machine(results['work'])}. The machine is shared and virtual: compare within a table. A ratio is the median of the ratios of each turn. `just bench --only cold` measures a part anew, `just bench --report` writes this page of what is kept in
[performance/](performance/), and `just bench-compare` tells how far two runs are apart.

## Targets

{targets(results, again, table)}

{cold(results['cold'])}
{work(results['work'], results['hash'])}
{throughput(results['throughput'])}
{cost(results['cost'], results['work'])}
{growth(results['growth'])}
{agreement(results, again)}{(ROOT / 'bench/history.md').read_text()}
## What made it smaller or quicker

{changes}"""
