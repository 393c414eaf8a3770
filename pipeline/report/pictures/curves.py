"""Training curves, by epoch."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.report.pictures.drawing import ACCENT, INK, MUTED, TIDY_STEPS, drawing, inline_svg, plain
from pipeline.runs.workspace import Curve


def draw_curves(
    curves: Mapping[str, Curve], name: str, chance: float | None = None, mark_best: bool = False
) -> str:
    """Training curves of one metric, one line a split.

    Args:
        curves: by split ("train", "val"); "val", or the only curve, is drawn in the accent colour.
        name: what is drawn, for the alternative text, such as "Loss".
        chance: chance level, drawn as a dotted line.
        mark_best: mark the highest value of the accented curve.

    Returns:
        One `<svg>` element.
    """
    leading = "val" if "val" in curves else next(iter(curves), "")
    with drawing(f"curves {name}"):
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
                label=plain(split),
            )
        if mark_best and leading:
            _mark_best(axes, curves[leading])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=TIDY_STEPS))
        axes.set_xlabel("epoch")
        if len(axes.get_lines()) > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=4, borderaxespad=0, fontsize=9)
        return inline_svg(figure, f"{name} by epoch. {_in_words(curves)}")


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
    """First and last value of each curve, for screen readers."""
    sentences = []
    for split, curve in curves.items():
        known = np.isfinite(curve.values)
        values, steps = curve.values[known], curve.steps[known]
        if values.size:
            sentences.append(
                f"{split}: from {values[0]:.3g} to {values[-1]:.3g}, epochs {steps[0]:g} to {steps[-1]:g}."
            )
    return " ".join(sentences)
