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

from stack import GROUPS, ROOT, Failure, Stack, template, translated

WORK = ROOT / "target/functions"
# What the conversations count on, as parameters.
GIVEN = {"MailFrom": "no-reply@polygate.localhost", "PasswordPolicy": "contract", "SourceLimitTimes": "100"}
LEFT_OUT = ROOT / "tests/conversations/functions/left_out.txt"


def prepare(stack, binaries):
    shutil.rmtree(WORK, ignore_errors=True)
    notes = WORK / "notes"
    notes.mkdir(parents=True)
    clock = WORK / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", clock, ROOT / "scripts/clock.c"], check=True)
    if missing := [str(binary) for binary in binaries.values() if not binary.is_file()]:
        raise Failure(f"not built: {', '.join(missing)}")
    described = {
        "binaries": {group: str(binary.resolve()) for group, binary in binaries.items()},
        "environment": {group: stack.environment(group) for group in GROUPS},
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
    names = left_out()
    skipped = [word for name in names for word in ("--skip", name)]
    command = ["cargo", "test", "--test", "conversations", "--", *filters, *skipped]
    environment = os.environ | {"POLYGATE_FUNCTIONS": str(file), "INSTA_UPDATE": "no", "RUST_BACKTRACE": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
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
    with the same action, so those sets are left out here."""
    table = "arn:aws:dynamodb:eu-central-1:123456789012:Table"
    for group in GROUPS:
        used = set()
        for action, resource in calls[group]:
            if resource.startswith("configuration-set/"):
                continue
            resource = re.sub("^table", table, resource)
            used.add((action, "arn:aws:ses:eu-central-1:123456789012:identity/*" if resource == "identity" else resource))
        # Logs are written by Lambda, not by the function.
        allowed = {(action, resource) for action, resource in stack.allowed(group) if not action.startswith("logs:")}
        if missing := sorted(used - allowed):
            raise Failure(f"{group} does what its policy doesn't allow: {missing}")
        if idle := sorted(allowed - used):
            raise Failure(f"{group}'s policy allows what no conversation needs: {idle}")


def worse(sam, calls):
    """The tests of the test: an action too many in each policy, and one too few."""
    count = 0
    for group in GROUPS:
        for extra in (True, False):
            changed = template()
            actions = changed["Resources"][f"{group.capitalize()}FunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"]
            actions.append("dynamodb:Scan") if extra else actions.pop()
            try:
                compare(Stack(translated(changed), GIVEN), calls)
            except Failure as failure:
                if group not in str(failure):
                    raise
                count += 1
                continue
            raise Failure(f"not found out: {group}'s policy has an action too {'many' if extra else 'few'}")
    return count


def needs(stack, notes):
    """What the processes needed, beside what the template gives them."""
    for group in GROUPS:
        lines = [json.loads(line) for line in (notes / f"{group}.needs").read_text().splitlines()]
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
    if options.built:
        binaries = {group: options.built / f"{group.capitalize()}Function/bootstrap" for group in GROUPS}
    else:
        binaries = {group: (options.debug or ROOT / "target/debug") / group for group in GROUPS}
    try:
        stack = Stack(translated(template()), GIVEN)
        file, notes = prepare(stack, binaries)
        count = converse(file, options.names)
        print(f"  {count} conversations are left out: see {LEFT_OUT.relative_to(ROOT)}")
        needs(stack, notes)
        if not options.names:
            calls = called(notes)
            compare(stack, calls)
            print(f"functions: every conversation went through the binaries; policies are exactly what was called; {worse(stack, calls)} worse ones were found out")
        return 0
    except (Failure, OSError, subprocess.CalledProcessError) as failure:
        print(f"functions: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
