"""The report's charts, of the results."""

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

import charts
from bench.common import NAMES
from bench.setup import FUNCTIONS

COLOURS = {
    "light": {"Polygate": "#2f6fd0", "Better Auth": "#b08800", "OpenAuth": "#8250df", "fastapi-users": "#1a7f37", "faint": "#9db7dd", "other": "#8c959f"},
    "dark": {"Polygate": "#5b9bff", "Better Auth": "#d6b23a", "OpenAuth": "#b48bff", "fastapi-users": "#57ab5a", "faint": "#3d5a86", "other": "#768390"},
}


DRAWN = ["cold", "work", "throughput", "growth", "cost"]


def plain(value, _=None):
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"


def bars(theme, names, series, title, log=False, told="{:,.0f}"):
    """Bars side by side: `series` is name, colour and a value for each of the names, or none."""
    ink, faint = charts.THEMES[theme]
    charts.begin(ink)
    figure, axes = plt.subplots(figsize=(9, 1.1 + 0.26 * len(names) * len(series) + 0.16 * len(names)))
    height = 0.84 / len(series)
    found = [value for _, _, values in series for value in values if value]
    left = min(found) / 2 if log else 0
    for place, (name, colour, values) in enumerate(series):
        at = [row + (place - (len(series) - 1) / 2) * height for row in range(len(names))]
        axes.barh(at, [value or left for value in values], height * 0.86, color=COLOURS[theme][colour], label=name)
        for y, value in zip(at, values):
            axes.annotate("n/a" if value is None else told.format(value), (value or left, y), (4, 0), textcoords="offset points", va="center", color=ink, fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(plain))
    axes.set_xlim(left, max(found) * (2 if log else 1.12))
    axes.set_title(title + (" (logarithmic)" if log else ""), color=ink, loc="left")
    charts.bare(axes, ink, faint, grid="x")
    if len(series) > 1:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14 / figure.get_figheight() * 3), ncols=len(series), frameon=False, labelcolor=ink, fontsize=8)
    figure.tight_layout()
    return charts.svg(figure)


def cold(theme, result):
    order = ["floor", *FUNCTIONS, "Node, SDK v3", "Python, boto3"]
    values = [result["starts"][name]["answered_ms"]["median"] for name in order]
    return bars(theme, order, [("", "Polygate", values)], "Milliseconds from exec to the first answer; all but the floor read the store once, over TLS", log=True, told="{:,.1f}")


def throughput(theme, result):
    names = ["read", "refresh", "login", "register", "mixed"]
    series = []
    for service, one in result["services"].items():
        series.append((service, service, [one["operations"][name]["per_cpu_second"]["median"] if name in one["operations"] else None for name in names]))
    return bars(theme, names, series, "Requests answered by a second of a processor", log=True)


def work(theme, result):
    """What is hash and what is everything else, stacked would hide the small: so two bars."""
    kinds = list(result["kinds"])
    processor = result["processor"]
    everything = [processor[kind]["all_us"]["median"] for kind in kinds]
    first = [processor[kind]["first_thread_us"]["median"] for kind in kinds]
    return bars(theme, [NAMES[kind] for kind in kinds], [("in all", "other", everything), ("without the hash", "Polygate", first)], "Microseconds of a processor for a warm request, TLS included", log=True)


def growth(theme, result):
    sizes = sorted(result["accounts"], key=int)
    kinds = list(result["accounts"][sizes[0]]["requests"])
    series = [
        (f"{int(size):,} accounts", colour, [result["accounts"][size]["requests"][kind]["first_thread_us"]["median"] for kind in kinds])
        for size, colour in zip(sizes, ["faint", "Polygate"])
    ]
    return bars(theme, [NAMES[kind] for kind in kinds], series, "Microseconds of a processor for a request without the hash")


def cost(theme, result):
    names = [f"{int(people):,} people" for people in result["month"]]
    columns = {"Polygate": "Polygate", "Cognito Lite": "Better Auth", "Cognito Essentials": "OpenAuth"}
    series = [(name, colour, [month[name] for month in result["month"].values()]) for name, colour in columns.items()]
    return bars(theme, names, series, "US $ a month", log=True)
