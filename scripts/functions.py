#!/usr/bin/env python3
"""Runs the conversations against the functions' own binaries, a process each, as Lambda would run them.

    functions.py --built .aws-sam/build          what `sam build` made, as it is deployed
    functions.py --debug target/debug [NAME …]   debug builds, and only the conversations whose names have these in them

A player in tests/conversations/functions/ takes the place of API Gateway and of Lambda's runtime API: routes and environment
are those of the translated template, except for endpoints, secrets, PASSWORD_POLICY=contract and SOURCE_LIMIT_TIMES=100, which
the conversations count on. The binaries know nothing of it: the tests' time reaches them by a preloaded clock (scripts/clock.c).

Each call to DynamoDB, SES and Secrets Manager is written down with what IAM would be asked for. At the end this is compared with
the functions' policies: what is called must be allowed, and what is allowed must be called. Last come the tests of the test.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

from samcli.lib.package.utils import make_zip_with_lambda_permissions, zip_folder
from stack import ROOT, Failure, Stack, template, translated

WORK = ROOT / "target/functions"
# What the conversations count on, as parameters.
GIVEN = {"MailFrom": "no-reply@polygate.localhost", "PasswordPolicy": "contract", "SourceLimitTimes": "100", "HandleBounces": "true"}
NAME = "polygate-test"
# How an ELF file for Linux on x86-64 begins: 64 bits, little-endian; and, from the 19th byte on, the machine.
ELF, X86_64 = b"\x7fELF\x02\x01", b"\x3e\x00"
LEFT_OUT = ROOT / "tests/conversations/functions/left_out.txt"


def unzipped(built):
    """`bootstrap` of each function, out of the zip that `sam deploy` would make of what `sam build` made."""
    binaries = {}
    for directory in sorted(path for path in built.iterdir() if path.is_dir()):
        group = directory.name.removesuffix("Function").lower()
        with zip_folder(directory, zip_method=make_zip_with_lambda_permissions) as (name, _), zipfile.ZipFile(name) as archive:
            size = pathlib.Path(name).stat().st_size
            binary = pathlib.Path(archive.extract("bootstrap", WORK / group))
            binary.chmod(archive.getinfo("bootstrap").external_attr >> 16)
        start = binary.read_bytes()[:20]
        if not os.access(binary, os.X_OK) or not start.startswith(ELF) or start[18:] != X86_64:
            raise Failure(f"{group}'s bootstrap can't be run on Linux on x86-64")
        print(f"  {group:9} a zip of {size / 1e6:4.1f} MB")
        binaries[group] = binary
    return binaries


def prepare(stack, binaries):
    notes = WORK / "notes"
    notes.mkdir(parents=True)
    clock = WORK / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", clock, ROOT / "scripts/clock.c"], check=True)
    if set(binaries) != set(stack.groups()):
        raise Failure(f"built are {sorted(binaries)}, and the template has {sorted(stack.groups())}")
    if missing := [str(binary) for binary in binaries.values() if not binary.is_file()]:
        raise Failure(f"not built: {', '.join(missing)}")
    described = {
        "binaries": {group: str(binary.resolve()) for group, binary in binaries.items()},
        "environment": {group: stack.environment(group) for group in stack.groups()},
        "routes": stack.routes(),
        "clock": str(clock),
        "notes": str(notes),
    }
    file = WORK / "stack.json"
    file.write_text(json.dumps(described, indent=1))
    return file, notes


def left_out():
    """Names of conversations, with why they can't be had with processes."""
    names = {}
    for line in LEFT_OUT.read_text().splitlines():
        name, _, reason = (part.strip() for part in line.partition("#"))
        if name:
            names[name] = reason
    if not all(names.values()):
        raise Failure(f"{LEFT_OUT.name}: a conversation is left out without a reason")
    return list(names)


def converse(file, filters):
    command = ["cargo", "test", "--test", "conversations", "--"]
    listed = subprocess.run([*command, "--list"], cwd=ROOT, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout
    there = {line.removesuffix(": test") for line in listed.splitlines() if line.endswith(": test")}
    names = left_out()
    if gone := [name for name in names if name not in there]:
        raise Failure(f"{LEFT_OUT.name}: there are no such conversations: {gone}")
    chosen = sorted(name for name in there if any(part in name for part in filters))
    skipped = [word for name in names for word in ("--skip", name)]
    environment = os.environ | {"POLYGATE_FUNCTIONS": str(file), "INSTA_UPDATE": "no", "RUST_BACKTRACE": "0"}
    # Names are whole ones: a part of one could leave out more than is listed.
    done = subprocess.run([*command, "--exact", *chosen, *skipped], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Failure(f"conversations failed; what the functions wrote is in {WORK / 'notes'}")
    return len(names)


def called(notes):
    """(action, resource) pairs by function, as policies spell them."""
    found = collections.defaultdict(set)
    for line in (notes / "calls").read_text().splitlines():
        call = json.loads(line)
        found[call["function"]].add((call["action"], call["resource"]))
    return found


def compare(stack, calls):
    """What is called must be allowed, and the reverse. That mail goes under a configuration set is the deployment's choice,
    with the same action, so those sets are left out here; and logs, which Lambda writes and not the function."""
    table = "arn:aws:dynamodb:eu-central-1:123456789012:Table"
    for group in stack.groups():
        senders = {address for one in stack.statements(group) for address in [one.get("Condition", {}).get("StringEquals", {}).get("ses:FromAddress")] if address}
        used = set()
        for action, resource in calls[group]:
            if resource.startswith("configuration-set/"):
                continue
            if resource.startswith("identity of "):
                if senders and resource.removeprefix("identity of ") not in senders:
                    raise Failure(f"{group} mails as the {resource}, and may as {senders}")
                resource = "arn:aws:ses:eu-central-1:123456789012:identity/*"
            used.add((action, re.sub("^table", table, resource)))
        allowed = {(action, resource) for action, resource in stack.allowed(group) if not action.startswith("logs:")}
        if missing := sorted(used - allowed):
            raise Failure(f"{group} does what its policy doesn't allow: {missing}")
        if idle := sorted(allowed - used):
            raise Failure(f"{group}'s policy allows what no conversation needs: {idle}")


def worse(stack, calls):
    """The tests of the test: each action too few in each policy, one too many, one call too many, and another sender."""
    found = collections.Counter()

    def is_found_out(what, group, change, calls=calls):
        changed = template()
        change(changed["Resources"][f"{group.capitalize()}FunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"])
        try:
            compare(Stack(translated(changed), GIVEN, NAME), calls)
        except Failure as failure:
            if not str(failure).startswith(group):
                raise
            found[what] += 1
            return
        raise Failure(f"not found out: {group}, {what}")

    def without(statements, nth, action):
        statement = statements[nth]
        rest = [one for one in [statement["Action"]] if isinstance(one, list) for one in one if one != action]
        statements[nth : nth + 1] = [statement | {"Action": rest}] if rest else []

    for group in stack.groups():
        for nth, statement in enumerate(stack.statements(group)):
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            for action in actions:
                if not action.startswith("logs:"):
                    is_found_out("an action too few", group, lambda statements: without(statements, nth, action))
        is_found_out("an action too many", group, lambda statements: statements[0]["Action"].append("dynamodb:Scan"))
        more = {**calls, group: calls[group] | {("dynamodb:DeleteTable", "table")}}
        is_found_out("a call too many", group, lambda statements: None, more)
        if any(action == "ses:SendEmail" for action, _ in calls[group]):
            more = {**calls, group: calls[group] | {("ses:SendEmail", "identity of somebody@example.com")}}
            is_found_out("another sender", group, lambda statements: None, more)
    return ", ".join(f"{count} times {what}" for what, count in found.items())


def needs(stack, notes):
    """What the processes needed, beside what the template gives them."""
    for group in stack.groups():
        file = notes / f"{group}.needs"
        if not file.is_file():
            print(f"  {group:9} wasn't called")
            continue
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        peak = max(line["peak_kib"] for line in lines) / 1024
        events = sum(line["events"] for line in lines)
        seconds = sum(line["ticks"] for line in lines) / os.sysconf("SC_CLK_TCK")
        memory = stack.function(group)["MemorySize"]
        print(f"  {group:9} {len(lines):5} processes, at most {peak:4.0f} of {memory} MB; {events:6} events, {1000 * seconds / max(events, 1):5.1f} ms of processor time each, start included")
        if peak > memory / 2:
            raise Failure(f"{group} needed {peak:.0f} MB, more than half of its memory")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--built", type=pathlib.Path, help="where `sam build` put the functions")
    parser.add_argument("--debug", type=pathlib.Path, help="where cargo put the functions")
    parser.add_argument("names", nargs="*", help="parts of names of conversations; without any, all, and the policies")
    options = parser.parse_args()
    try:
        stack = Stack(translated(template()), GIVEN, NAME)
        shutil.rmtree(WORK, ignore_errors=True)
        if options.built:
            binaries = unzipped(options.built)
        else:
            binaries = {group: (options.debug or ROOT / "target/debug") / group for group in stack.groups()}
        file, notes = prepare(stack, binaries)
        count = converse(file, options.names)
        print(f"  {count} conversations are left out: see {LEFT_OUT.relative_to(ROOT)}")
        needs(stack, notes)
        if not options.names:
            calls = called(notes)
            compare(stack, calls)
            print(f"functions: every conversation went through the binaries; policies are exactly what was called. Found out: {worse(stack, calls)}")
        return 0
    except (Failure, OSError, subprocess.CalledProcessError) as failure:
        print(f"functions: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
