"""How a score falls as noise rises."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.report.pictures.drawing import ACCENT, MUTED, TIDY_STEPS, drawing, inline_svg

CLEAN_STEP_DB = 8.0
"""Clean speech has no SNR: its dot is drawn this far to the right of the highest one."""


def draw_robustness(
    snrs_db: Sequence[float | None], values: Sequence[float], name: str, chance: float | None = None
) -> str:
    """One measure over the signal-to-noise ratio, the noisiest on the left, clean speech apart on the right.

    Args:
        snrs_db: signal-to-noise ratios in dB; None is clean speech.
        values: one per ratio.
        name: what is drawn, such as "UAR".
        chance: chance level, drawn as a dotted line.

    Returns:
        One `<svg>` element.
    """
    mixed = sorted((snr, value) for snr, value in zip(snrs_db, values, strict=True) if snr is not None)
    clean = [value for snr, value in zip(snrs_db, values, strict=True) if snr is None]
    with drawing(f"robustness {name}"):
        figure = Figure(figsize=(3.7, 2.5), layout="constrained")
        axes = figure.subplots()
        if chance is not None:
            axes.axhline(chance, color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
            axes.annotate(
                "chance", (0, chance), (2, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
                color=MUTED, fontsize=9,
            )  # fmt: skip
        places = [snr for snr, _ in mixed]
        axes.plot(places, [value for _, value in mixed], color=ACCENT, linewidth=2, marker="o", markersize=5)
        beyond = max(places, default=0.0) + CLEAN_STEP_DB
        if clean:
            axes.plot([beyond] * len(clean), clean, color=ACCENT, linestyle="", marker="D", markersize=6)
            if mixed:
                ends = [mixed[-1][1], clean[0]]
                axes.plot([places[-1], beyond], ends, color=ACCENT, linewidth=1.2, linestyle=(0, (4, 2)))
        ticks = [f"{snr:g}".replace("-", "\N{MINUS SIGN}") for snr in places]
        axes.set_xticks([*places, *[beyond] * bool(clean)], [*ticks, *["clean"] * bool(clean)])
        axes.set_ylim(0, max(*np.nan_to_num(values), chance or 0.0, 0.05) * 1.15)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=TIDY_STEPS))
        axes.set_xlabel("signal-to-noise ratio in dB")
        values_in_words = [f"{value:.2f} on clean speech" for value in clean]
        values_in_words += [f"{value:.2f} at {snr:g} dB" for snr, value in reversed(mixed)]
        return inline_svg(figure, f"{name} by signal-to-noise ratio: {', '.join(values_in_words)}.")
