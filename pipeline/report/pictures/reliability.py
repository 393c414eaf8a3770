"""How well confidence matches accuracy: the reliability diagram and the risk–coverage curve."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from featurize.errors import counted
from model.scoring.confidence import Bin
from pipeline.report.pictures.drawing import ACCENT, INK, MUTED, SHADE, drawing, inline_svg


def draw_reliability(bins: Sequence[Bin]) -> str:
    """Reliability diagram: accuracy over confidence, and below it how many clips each bin holds.

    A calibrated network's dots lie on the diagonal; below it, the network is overconfident.
    Niculescu-Mizil and Caruana (2005), "Predicting good probabilities with supervised learning".

    Returns:
        One `<svg>` element.
    """
    confidence = np.array([part.confidence for part in bins])
    accuracy = np.array([part.accuracy for part in bins])
    count = np.array([part.count for part in bins])
    with drawing("reliability"):
        figure = Figure(figsize=(3.7, 3.9), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        above.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
        above.vlines(
            confidence,
            np.minimum(confidence, accuracy),
            np.maximum(confidence, accuracy),
            SHADE,
            linewidth=2.5,
        )
        above.scatter(confidence, accuracy, s=16 + 100 * count / count.max(), color=ACCENT, zorder=3)
        above.set_xlim(-0.02, 1.02)
        above.set_ylim(-0.04, 1.04)
        above.set_ylabel("accuracy")
        above.annotate(
            "calibrated", (0.03, 0.03), (-2, 6), textcoords="offset points", color=MUTED, fontsize=9, rotation=45,
            rotation_mode="anchor", transform_rotates_text=True,
        )  # fmt: skip
        below.bar(confidence, count, width=0.045, color=SHADE)
        below.set_yticks([int(count.max())])
        below.set_ylabel("clips")
        below.set_xlabel("confidence")
        calibration = "overconfident" if float(count @ (confidence - accuracy)) > 0 else "not overconfident"
        widest = int(np.argmax(np.abs(confidence - accuracy) * count))
        alt = (
            f"Reliability diagram, {len(bins)} bins of confidence. On the whole the network is {calibration}. "
            f"The bin that weighs most: {counted(count[widest], 'clip')} at confidence {confidence[widest]:.2f}, "
            f"of which {accuracy[widest]:.0%} are right."
        )
        return inline_svg(figure, alt)


def draw_risk_coverage(points: Sequence[tuple[float, float]]) -> str:
    """Risk–coverage curve: the error rate among the clips that are answered, in order of falling confidence.

    El-Yaniv and Wiener (2010), "On the foundations of noise-free selective classification".

    Args:
        points: coverage and risk, both from 0 to 1.

    Returns:
        One `<svg>` element.
    """
    coverage, risk = np.array(sorted(points)).T
    with drawing("risk-coverage"):
        figure = Figure(figsize=(3.7, 2.7), layout="constrained")
        axes = figure.subplots()
        axes.axhline(risk[-1], color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
        axes.annotate(
            f"all answered: {risk[-1]:.2f}", (0.01, risk[-1]), (0, 3), textcoords="offset points", color=MUTED,
            fontsize=9,
        )  # fmt: skip
        axes.fill_between(coverage, risk, color=SHADE, alpha=0.25, linewidth=0)
        axes.plot(coverage, risk, color=ACCENT, linewidth=2)
        axes.plot(coverage[-1:], risk[-1:], marker="o", markersize=5, color=INK)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, max(float(risk.max()), 0.05) * 1.15)
        axes.set_xlabel("share of clips answered, most confident first")
        axes.set_ylabel("share of wrong answers")
        half = float(np.interp(0.5, coverage, risk))
        alt = (
            f"Risk by coverage: {risk[-1]:.0%} of answers are wrong where every clip is answered, "
            f"{half:.0%} where only the more confident half is."
        )
        return inline_svg(figure, alt)
