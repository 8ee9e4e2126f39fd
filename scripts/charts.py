"""How all charts are drawn: without a frame, on nothing, in a light and a dark version, as SVG that is the same for the same numbers.

scripts/with_charts runs the scripts that draw, with matplotlib.
"""

import io

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

# Ink and faint ink.
THEMES = {"light": ("#1f2328", "#d8dee4"), "dark": ("#e6edf3", "#3a414a")}


def begin(ink, fonts="path"):
    """Settings without which a file would differ each time. `fonts`: `none` leaves texts as texts."""
    matplotlib.rcParams.update({"svg.hashsalt": "polygate", "svg.fonttype": fonts, "font.size": 9, "text.color": ink})


def bare(axes, ink, faint=None, grid=None):
    """No frame and no ticks; a grid along one axis, if one is named."""
    axes.tick_params(colors=ink, which="both", length=0)
    axes.set_facecolor("none")
    if grid:
        axes.grid(axis=grid, color=faint, linewidth=0.5)
        axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def svg(figure):
    """The figure's text; the figure is done with."""
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"
