"""The confusion matrix: counts and rates as text, the rate within the true class as shade."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline.report.pictures.drawing import INK, MUTED, SHADE, drawing, inline_svg, plain


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
    with drawing("confusion"):
        figure = Figure(figsize=(0.66 * num + 1.3, 0.56 * num + 1.0), layout="constrained")
        axes = figure.subplots()
        for row, column in np.ndindex(num, num):
            _draw_cell(axes, row, column, int(table[row, column]), float(rates[row, column]))
        _name_cells(axes, [plain(label) for label in labels])
        correct = int(np.trace(table))
        alt = (
            f"Confusion matrix of {num} classes: {correct} of {int(table.sum())} clips are on the diagonal. "
            "The same numbers follow as a table."
        )
        return inline_svg(figure, alt, roomy=num > 5)


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
