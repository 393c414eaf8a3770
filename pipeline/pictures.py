"""The report's pictures: numbers in, inline SVG out, readable on white and on black.

Why not the SVG just as matplotlib writes it: its colours are fixed, its ids repeat in every picture, its
style sheet would reach the whole page, and it names hosts. So each picture is drawn in a palette of
four colours, which are then exchanged for the page's CSS variables; text stays text, in the page's own font.
Pictures are deterministic: the same numbers give the same bytes.
"""

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

# What the pictures are drawn in, and what each colour becomes on the page (the drawn colour is the fallback).
INK, MUTED, ACCENT, SHADE = "#1d232a", "#5d6773", "#17617a", "#5f9fb5"
PAGE_COLOURS = {
    INK: "currentColor",
    MUTED: f"var(--muted, {MUTED})",
    ACCENT: f"var(--accent, {ACCENT})",
    SHADE: f"var(--shade, {SHADE})",
}
MAX_LABEL = 16  # characters of a class name that fit beside a picture; tables give the whole name
RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a class called "$x$" is a name, not a formula
    "font.size": 10.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": MUTED,
    "grid.alpha": 0.25,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "ytick.major.size": 0.0,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Curve:
    """One measured quantity over training.

    Shape:
        steps: (num_points,) step numbers. values: (num_points,); NaN or infinite points leave a gap.
    """

    steps: NDArray[np.float64]
    values: NDArray[np.float64]


def draw_confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Confusion matrix: counts and rates as text, the rate within the true class as shade.

    Args:
        labels: class names, in class order.
        counts: (num_classes, num_classes) clips, rows true, columns predicted.

    Returns:
        One `<svg>` element.
    """
    num = len(labels)
    table = np.asarray(counts, dtype=np.int64).reshape(num, num)
    rates = table / np.maximum(table.sum(axis=1, keepdims=True), 1)  # (true, predicted)
    with _drawing("confusion"):
        figure = Figure(figsize=(0.66 * num + 1.3, 0.56 * num + 1.0), layout="constrained")
        axes = figure.subplots()
        for row, column in np.ndindex(num, num):
            _draw_cell(axes, row, column, int(table[row, column]), float(rates[row, column]))
        _name_cells(axes, [_plain(label) for label in labels])
        correct = int(np.trace(table))
        alt = (
            f"Confusion matrix of {num} classes: {correct} of {int(table.sum())} clips are on the diagonal. "
            "The same numbers follow as a table."
        )
        return _inline_svg(figure, alt, min_scale=0.85)


def _draw_cell(axes: Axes, row: int, column: int, count: int, rate: float) -> None:
    """One square: shade, count, and the rate in percent below it."""
    # The full shade is of middling brightness, so that the same ink is readable on every rate, in both modes.
    square = Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, facecolor=SHADE, alpha=0.06 + 0.94 * rate)
    axes.add_patch(square)
    if not count:
        axes.text(column, row, "0", ha="center", va="center", color=MUTED, fontsize=11)
        return
    weight = "bold" if row == column else "normal"
    axes.text(column, row + 0.02, str(count), ha="center", va="bottom", fontsize=11, weight=weight)
    axes.text(column, row + 0.1, f"{rate:.0%}", ha="center", va="top", fontsize=8)


def _name_cells(axes: Axes, names: list[str]) -> None:
    """Class names along both axes, true classes from top to bottom."""
    places = list(range(len(names)))
    tilted = max(map(len, names), default=0) > 7
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xticks(places, names, rotation=35 if tilted else 0, ha="right" if tilted else "center")
    axes.set_yticks(places, names)
    for tick in axes.get_xticklabels():
        tick.set_rotation_mode("anchor" if tilted else "default")
    axes.tick_params(length=0, labelcolor=INK)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")


def draw_curves(
    curves: Mapping[str, Curve], name: str, chance: float | None = None, mark_best: bool = False
) -> str:
    """Training curves of one metric, one line a split.

    Args:
        curves: by split ("train", "val"); "val", or the only curve, is drawn in the accent colour.
        name: what is drawn, for the alternative text, such as "Loss".
        chance: level of a guess, drawn as a dotted line.
        mark_best: mark the highest value of the accented curve.

    Returns:
        One `<svg>` element.
    """
    leading = "val" if "val" in curves else next(iter(curves), "")
    with _drawing(f"curves {name}"):
        figure = Figure(figsize=(3.7, 2.5), layout="constrained")
        axes = figure.subplots()
        if chance is not None:
            axes.axhline(chance, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), label="chance")
        for split, curve in curves.items():
            values = np.where(np.isfinite(curve.values), curve.values, np.nan)
            first = split == leading
            axes.plot(
                curve.steps,
                values,
                color=ACCENT if first else INK,
                linewidth=2.0 if first else 1.2,
                linestyle="-" if first else (0, (4, 2)),
                marker="o" if len(values) == 1 else "",
                label=_plain(split),
            )
        if mark_best and leading:
            _mark_best(axes, curves[leading])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.set_xlabel("epoch")
        if len(axes.get_lines()) > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=4, borderaxespad=0, fontsize=9)
        return _inline_svg(figure, f"{name} by epoch. {_in_words(curves)}", min_scale=0)


def _mark_best(axes: Axes, curve: Curve) -> None:
    if not np.isfinite(curve.values).any():
        return
    best = int(np.nanargmax(np.where(np.isfinite(curve.values), curve.values, np.nan)))
    step, value = curve.steps[best], curve.values[best]
    axes.plot([step], [value], marker="o", markersize=6, color=ACCENT)
    right = step > float(np.mean(axes.get_xlim()))
    axes.annotate(
        f"{value:.3f}", (step, value), (-7 if right else 7, 5), textcoords="offset points",
        ha="right" if right else "left", color=ACCENT, weight="bold",
    )  # fmt: skip
    axes.margins(y=0.14)


def _in_words(curves: Mapping[str, Curve]) -> str:
    """First and last value of each curve, for those who hear the page."""
    said = []
    for split, curve in curves.items():
        values = curve.values[np.isfinite(curve.values)]
        if values.size:
            said.append(f"{split}: from {values[0]:.3g} to {values[-1]:.3g} over {values.size} epochs.")
    return " ".join(said)


@contextmanager
def _drawing(salt: str) -> Iterator[None]:
    """Matplotlib's own defaults and ours for the time of one picture, whatever a user's matplotlibrc says."""
    with mpl.rc_context(), warnings.catch_warnings():
        # The browser draws the text: that matplotlib's font lacks a letter is of no concern.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()
        mpl.rcParams.update({**RC, "svg.hashsalt": salt})
        yield


def _plain(text: str) -> str:
    """A name that any XML can hold, short enough for an axis."""
    clean = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return clean if len(clean) <= MAX_LABEL else clean[: MAX_LABEL - 1] + "…"


def _inline_svg(figure: Figure, alt: str, min_scale: float) -> str:
    """Draw a figure as one `<svg>` that belongs to its page: its colours, its font, no host named."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ET.fromstring(drawn.getvalue())  # noqa: S314  written by matplotlib a line above
    width_pt = float(root.attrib["viewBox"].split()[2])
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in {"metadata", "style"}:
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): value for key, value in element.attrib.items() if _is_needed(element, key)
        }
        if "style" in element.attrib:
            element.attrib["style"] = _page_style(element.attrib["style"])
    least = f"min-width: {min_scale * width_pt:.0f}px; " if min_scale else ""
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": alt,
        "stroke-linejoin": "round",
        "style": f"{least}max-width: {1.5 * width_pt:.0f}px",
    }
    return ET.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    """A name without its namespace: HTML knows SVG's elements without one."""
    return name.rpartition("}")[2]


def _is_needed(element: ET.Element, key: str) -> bool:
    """Whether an attribute stays: ids only where something refers to them (markers and clip paths)."""
    return key != "id" or element.tag in {"path", "clipPath"}


def _page_style(style: str) -> str:
    """The page's colours and font in place of the drawn ones."""
    style = re.sub(r"font-family: [^;]*(; )?", "", style)
    return re.sub("|".join(PAGE_COLOURS), lambda colour: PAGE_COLOURS[colour.group()], style)
