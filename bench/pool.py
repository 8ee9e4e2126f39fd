"""A store with many accounts, made once: the rows of one account that the service itself has made, over and over with other
keys, written into the engine's file. Writing a million through the engine would take longer than all the rest."""

import contextlib
import hashlib
import json
import pathlib
import re
import shutil
import sqlite3
import uuid

from .common import BUILT, WORK, Failure, say
from .events import PASSWORD
from .player import development_server, http

TEMPLATE = "template000"
TOTALS = 16
# The engine keeps a number as sign, exponent and forty digits, so that texts are in its order.
DIGITS = 40


def folder_of(accounts):
    return WORK / "pools" / str(accounts)


def name_of(number):
    return f"person{number:08}"


def as_key(number):
    digits = str(number)
    return f"N:2{5000 + len(digits)}{digits.ljust(DIGITS, '0')}"


def bucket(pk):
    """In which part of a scan the engine has this partition."""
    return hashlib.md5(b"Outliers" + pk.removeprefix("S:").encode()).hexdigest()[:6]


def pool(accounts):
    """The data directory of a pool of so many, its table in the system's cache: the disk is not what is measured."""
    folder = folder_of(accounts)
    if not (folder / "made").is_file():
        make(folder, accounts)
    with open(folder / "table.db", "rb") as table:
        while table.read(1 << 24):
            pass
    return folder


def make(folder, accounts):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with development_server(str(BUILT / "polygate"), data=folder) as (base, _):
        body = {"username": TEMPLATE, "email": f"{TEMPLATE}@example.com", "password": PASSWORD}
        status, answer = http(f"{base}/kite/api/v1/auth/register", body)
        if status != 201:
            raise Failure(f"registering answered {status}: {answer[:300]!r}")
        # The first sign-in makes the signing key.
        http(f"{base}/kite/api/v1/auth/login", {"username": TEMPLATE, "password": PASSWORD})
        account = json.loads(answer)["data"]["id"]
    say(f"growth: writing {accounts:,} accounts into {folder}")
    with contextlib.closing(sqlite3.connect(folder / "table.db")) as table:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
            table.execute(f"PRAGMA {pragma}")
        copy(table, account, accounts)
        table.execute("PRAGMA journal_mode = WAL")
    (folder / "made").write_text("")


def copy(table, account, accounts):
    (number,) = [int(json.loads(row[0])["number"]["N"]) for row in table.execute("SELECT item_json FROM polygate WHERE pk = ? AND sk = ?", (f"S:account#{account}", "S:account"))]
    name = TEMPLATE

    def mine(what, pk):
        return [row for row in table.execute(f'SELECT * FROM "{what}" WHERE {pk} IN (?, ?, ?)', (f"S:account#{account}", f"S:name#{name}", f"S:email#{name}@example.com"))
                if "S:event#" not in str(row) and "S:session#" not in str(row)]

    # Of the account itself and of its claims on name and address; what it did and where it is signed in stays the template's.
    sources = {"polygate": mine("polygate", "pk"), "polygate::gsi::listing": mine("polygate::gsi::listing", "table_pk"), "polygate::gsi::claims": mine("polygate::gsi::claims", "table_pk")}
    if [len(rows) for rows in sources.values()] != [3, 1, 2]:
        raise Failure(f"an account isn't the rows that were expected: { {what: len(rows) for what, rows in sources.items()} }")
    shard = re.compile(r"accounts#\d")
    for what, rows in sources.items():
        for row in rows:
            marks = ",".join("?" * len(row))

            def others():
                for count in range(accounts):
                    other, told = number + 1 + count, name_of(count)
                    # Ids rise with time, as the service makes them.
                    new = str(uuid.UUID(int=(0x019A_0000_0000 + count) << 80 | 7 << 76 | 0x8000 << 48 | count))
                    values = []
                    for value in row:
                        if isinstance(value, str):
                            value = value.replace(account, new).replace(name, told)
                            if what != "polygate::gsi::claims":
                                value = value.replace(as_key(number), as_key(other)).replace(f'"number":{{"N":"{number}"}}', f'"number":{{"N":"{other}"}}')
                                value = shard.sub(f"accounts#{other % 8}", value)
                            value = value.replace(f"#{name[0]}", f"#{told[0]}")
                        values.append(value)
                    if what == "polygate":
                        values[-1] = bucket(values[0])
                    yield values

            table.executemany(f'INSERT INTO "{what}" VALUES ({marks})', others())
        table.commit()
    # Where numbers and totals stand. The last digit of an account's id says which total counts it.
    for pk, more in [("counter#number", accounts), *((f"total#{place}", accounts // TOTALS) for place in range(TOTALS))]:
        row = table.execute("SELECT item_json FROM polygate WHERE pk = ?", (f"S:{pk}",)).fetchone()
        count = more + (int(json.loads(row[0])["count"]["N"]) if row else 0)
        item = json.dumps({"pk": {"S": pk}, "sk": {"S": "counter"}, "count": {"N": str(count)}}, separators=(",", ":"))
        table.execute("INSERT OR REPLACE INTO polygate VALUES (?, 'S:counter', ?, ?, NULL, ?)", (f"S:{pk}", item, len(pk) + 14 + len(str(count)), bucket(pk)))
    table.commit()


def size(accounts):
    return sum(file.stat().st_size for file in pathlib.Path(folder_of(accounts)).glob("table.db*"))
