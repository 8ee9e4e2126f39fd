#!/usr/bin/env python3
"""Draws what a load did to the development server, from the report of `just soak`.

Reads docs/reliability/load.json and writes load-light.svg and load-dark.svg beside it. scripts/with_charts runs it.
"""

import argparse
import json
import pathlib

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

import charts

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "docs" / "reliability"
# What was carried out, what the contract refused, 503.
COLOURS = {"light": ("#2f6fd0", "#b08800", "#cf4040"), "dark": ("#5b9bff", "#d6b23a", "#ff7b72")}
POINTS = 320


def columns(report):
    """Seconds put together so that no more points are drawn than can be seen; rates a second."""
    seconds = report["seconds"]
    width = max(1, len(seconds) // POINTS)
    groups = [seconds[start : start + width] for start in range(0, len(seconds) - width + 1, width)]

    def rate(group, *names):
        return sum(second["outcomes"].get(name, 0) for second in group for name in names) / width

    def middle(group, name):
        values = sorted(second[name] for second in group if second[name] is not None)
        return values[len(values) // 2] if values else None

    return {
        "at": [group[0]["at"] / 60 for group in groups],
        "sent": [sum(second["sent"] for second in group) / width for group in groups],
        "done": [rate(group, "done") for group in groups],
        "refused": [rate(group, "refused", "429") for group in groups],
        "shed": [rate(group, "503") for group in groups],
        "p50": [middle(group, "p50") for group in groups],
        "p99": [middle(group, "p99") for group in groups],
        "memory": [middle(group, "memory") for group in groups],
    }


def draw(report, theme):
    (ink, faint), (done, refused, shed) = charts.THEMES[theme], COLOURS[theme]
    charts.begin(ink)
    data, first = columns(report), report["phases"][0]["from"]
    figure, rows = plt.subplots(3, 1, figsize=(9, 7.2), sharex=True, height_ratios=(3, 2, 1.4))
    load, slow, memory = rows
    load.stackplot(data["at"], data["done"], data["refused"], data["shed"], colors=(done, refused, shed), linewidth=0,
                   labels=("carried out", "refused: 401, 429", "503"))
    load.plot(data["at"], data["sent"], color=ink, linewidth=0.8, label="asked")
    load.set_title("Requests a second", color=ink, loc="left")
    slow.plot(data["at"], data["p99"], color=shed, linewidth=1, label="99 of 100 carried out within")
    slow.plot(data["at"], data["p50"], color=done, linewidth=1, label="half of them")
    slow.set_yscale("log")
    slow.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    slow.set_title("Milliseconds from when it was to be sent", color=ink, loc="left")
    memory.plot(data["at"], data["memory"], color=done, linewidth=1)
    memory.set_ylim(0, 1.3 * max(value for value in data["memory"] if value is not None))
    memory.set_title("MiB of memory (resident)", color=ink, loc="left")
    memory.set_xlabel("minutes", color=ink)
    for axes in rows:
        charts.bare(axes, ink, faint, grid="y")
        axes.margins(x=0)
        for phase in report["phases"]:
            begin, end = ((phase[name] - first) / 60 for name in ("from", "until"))
            if phase["name"].endswith("×") and not phase["name"].startswith("after"):
                axes.axvspan(begin, end, color=faint, alpha=0.35, linewidth=0, zorder=0)
                if axes is load:
                    axes.annotate(phase["name"], ((begin + end) / 2, 1), (0, -12), xycoords=("data", "axes fraction"),
                                  textcoords="offset points", ha="center", color=ink, weight="bold")
    for axes in (load, slow):
        axes.legend(loc="lower right", bbox_to_anchor=(1.01, 0.98), ncols=4, frameon=False, labelcolor=ink, fontsize=8,
                    handlelength=1.4, columnspacing=1.2)
    figure.align_ylabels(rows)
    figure.tight_layout()
    return charts.svg(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=pathlib.Path, default=FOLDER / "load.json")
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text())
    for theme in charts.THEMES:
        (arguments.report.parent / f"load-{theme}.svg").write_text(draw(report, theme))


if __name__ == "__main__":
    main()
