"""UAR by speaker: one dot per speaker."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from featurize.errors import counted
from pipeline.report.pictures.drawing import ACCENT, INK, MUTED, SHADE, drawing, inline_svg, plain

MARKERS = ("o", "s", "D", "^", "v")
"""By gender, in alphabetical order, so that genders are distinguishable without colour."""
MAX_NAMED = 60  # speakers whose names can be written beside their dots


def draw_speakers(
    speakers: Sequence[str], genders: Sequence[str], uars: Sequence[float], overall: float, chance: float
) -> str:
    """UAR of each test speaker, in the order given from top to bottom.

    Args:
        speakers: their names.
        genders: one per speaker, in the corpus's words; may be empty.
        uars: one per speaker.
        overall: UAR over all speakers, drawn as a line.
        chance: UAR of a guess, drawn as a dotted line.

    Returns:
        One `<svg>` element.
    """
    num, values = len(speakers), np.asarray(uars, dtype=np.float64)
    places = list(range(num))
    named = num <= MAX_NAMED
    with drawing("speakers"):
        figure = Figure(figsize=(4.3, 0.9 + (0.24 if named else 0.09) * num), layout="constrained")
        axes = figure.subplots()
        axes.axvline(chance, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), label="chance")
        axes.axvline(overall, color=INK, linewidth=1, label="all speakers")
        axes.hlines(places, np.minimum(values, overall), np.maximum(values, overall), SHADE, linewidth=2)
        kinds = sorted(set(genders))
        for number, gender in enumerate(kinds):
            own = [place for place in places if genders[place] == gender]
            axes.plot(
                values[own], own, color=ACCENT, linestyle="", markersize=6, marker=MARKERS[number % len(MARKERS)],
                label=plain(gender) if len(kinds) > 1 else "",
            )  # fmt: skip
        axes.set_xlim(0, 1.02)
        axes.set_ylim(num - 0.4, -0.6)
        axes.set_yticks(places if named else [], [plain(name) for name in speakers] if named else [])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("UAR")
        axes.legend(
            loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=5, borderaxespad=0, fontsize=9,
            handlelength=1.2, columnspacing=1.2,
        )  # fmt: skip
        low, high = int(np.argmin(values)), int(np.argmax(values))
        alt = (
            f"UAR of {counted(num, 'test speaker')}, from {values[low]:.2f} ({speakers[low]}) to {values[high]:.2f} "
            f"({speakers[high]}); {overall:.2f} over all. The same numbers follow as a table."
        )
        return inline_svg(figure, alt)
