"""Whether two runs agree: each ratio that the report rests on, in both, and how far they are apart.

    just bench-compare FOLDER [FOLDER]   folders of results; the second is docs/performance unless named
"""

import argparse
import pathlib
import sys

from .common import RESULTS, Failure, kept_all, ratio

APART = 0.15
# What isn't timed is the same in any two runs, or nearly.
COUNTED = "counted: "


def ratios(results):
    """Name to ratio: within one run, so that another machine's speed is not in it."""
    starts = {name: one["answered_ms"] for name, one in results["cold"]["starts"].items()}
    found = {f"cold start, {name} to the floor": ratio(start, starts["floor"]) for name, start in starts.items() if name != "floor"}
    work = results["work"]
    for kind in work["kinds"]:
        used = work["processor"][kind]
        found[f"work, {kind} to the floor, without a hash"] = ratio(used["first_thread_us"], used["floor_first_thread_us"])
        if work["kinds"][kind]["hashes"]:
            found[f"work, {kind} to the floor, in all"] = ratio(used["all_us"], used["floor_all_us"])
        found[f"work, {kind}'s handler to the floor"] = work["handler"][kind]["floors"]
        found[f"{COUNTED}instructions, {kind} to the floor"] = work["instructions"][kind]["first_thread"] / work["instructions"]["floor"]["first_thread"]
        found[f"{COUNTED}round trips, {kind}"] = work["store"][kind]["round_trips"]
    for other, told in [("c_ms", "the one in C"), ("node_ms", "the one on Node")]:
        found[f"hash to {told}"] = ratio(results["hash"]["ours_ms"], results["hash"][other])
    services = results["throughput"]["services"]
    ours = services["Polygate"]
    for name, one in services.items():
        if name == "Polygate":
            continue
        for operation, measured in one["operations"].items():
            found[f"{operation} for a processor's second, to {name}"] = ratio(ours["operations"][operation]["per_cpu_second"], measured["per_cpu_second"])
        for key in ("at_rest_mib", "peak_mib"):
            found[f"{key}, {name} to ours"] = one[key] / ours[key]
    accounts = results["growth"]["accounts"]
    small, large = (accounts[size]["requests"] for size in (min(accounts, key=int), max(accounts, key=int)))
    for kind in small:
        found[f"growth, {kind}"] = ratio(large[kind]["first_thread_us"], small[kind]["first_thread_us"])
    return found


def apart(one, other):
    """Name to (ratio in one, ratio in the other, how far apart), the furthest first."""
    one, other = ratios(one), ratios(other)
    if one.keys() != other.keys():
        raise Failure("the two runs don't measure the same")
    found = {name: (one[name], other[name], max(one[name], other[name]) / min(one[name], other[name]) - 1) for name in one}
    return dict(sorted(found.items(), key=lambda pair: -pair[1][2]))


def main():
    parser = argparse.ArgumentParser(prog="just bench-compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("one", type=pathlib.Path)
    parser.add_argument("other", type=pathlib.Path, nargs="?", default=RESULTS)
    options = parser.parse_args()
    try:
        found = apart(kept_all(options.one), kept_all(options.other))
    except Failure as failure:
        sys.exit(f"bench-compare: {failure}")
    for name, (one, other, by) in found.items():
        print(f"{'' if by <= APART else 'APART'}\t{100 * by:5.1f} %\t{one:10.3f}\t{other:10.3f}\t{name}")
    far = [name for name, (_, _, by) in found.items() if by > APART]
    print(f"bench-compare: {len(found) - len(far)} of {len(found)} ratios agree within {APART:.0%}; {sum(not name.startswith(COUNTED) for name in found)} of them are of times and memory")
    return bool(far)


if __name__ == "__main__":
    sys.exit(main())
