"""Pictures have text for their numbers, use the page's colours and add no other styles."""

import re
from importlib.resources import files
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from numpy.typing import NDArray

from model.scoring.confidence import Bin
from pipeline.report.pictures.confusion import draw_confusion
from pipeline.report.pictures.curves import draw_curves
from pipeline.report.pictures.drawing import ACCENT, INK, MUTED, SHADE
from pipeline.report.pictures.noise_levels import draw_robustness
from pipeline.report.pictures.reliability import draw_reliability, draw_risk_coverage
from pipeline.report.pictures.speakers import MAX_NAMED, draw_speakers
from pipeline.runs.workspace import Curve

COUNTS = [[30, 4, 1], [2, 20, 13], [0, 0, 0]]
LABELS = ["angry", "happy", "sad"]
BINS = [Bin(confidence=0.5, accuracy=0.25, count=10), Bin(confidence=0.9, accuracy=0.8, count=30)]


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter("text")]


def curve(*values: float) -> Curve:
    return Curve(np.arange(len(values), dtype=np.float64), np.asarray(values, dtype=np.float64))


def pictures() -> list[str]:
    return [
        draw_confusion(LABELS, COUNTS),
        draw_curves({"train": curve(2, 1, 0.5), "val": curve(2, 1.5, 1.6)}, "Loss"),
        draw_curves({"val": curve(0.3, 0.62, 0.5)}, "UAR", chance=0.25, mark_best=True),
        draw_reliability(BINS),
        draw_risk_coverage([(1.0, 0.4), (0.5, 0.2), (0.25, 0.0)]),
        draw_speakers(["ann", "<b>"], ["female", "male"], [0.4, 0.7], overall=0.55, chance=0.25),
        draw_robustness([None, 20, -5], [0.6, 0.5, 0.3], "UAR", chance=0.25),
    ]


def alt(svg: str) -> str:
    return ET.fromstring(svg).attrib["aria-label"]


def test_confusion_counts_rates_and_shades() -> None:
    svg = draw_confusion(LABELS, COUNTS)
    shown = texts(svg)
    for count in (30, 4, 1, 2, 20, 13):
        assert str(count) in shown
    assert f"{30 / 35:.0%}" in shown
    assert {"true", "predicted", *LABELS} <= set(shown)
    shades = [float(value) for value in re.findall(r'fill="var\(--shade[^"]*" opacity="([\d.]+)"', svg)]
    rates = np.asarray(COUNTS) / np.maximum(np.sum(COUNTS, axis=1, keepdims=True), 1)
    assert shades == pytest.approx((0.06 + 0.94 * rates).ravel().tolist(), abs=1e-5)
    assert "50 of 70 clips" in ET.fromstring(svg).attrib["aria-label"]


def test_curves_mark_best_epoch_and_chance() -> None:
    svg = draw_curves({"val": curve(0.3, 0.62, 0.5)}, "UAR", chance=0.25, mark_best=True)
    assert "0.620" in texts(svg)
    assert "chance" in texts(svg)
    assert ET.fromstring(svg).attrib["aria-label"] == "UAR by epoch. val: from 0.3 to 0.5, epochs 0 to 2."


@pytest.mark.parametrize("values", [(), (np.nan, np.inf), (0.5,), (0.1, np.nan, 0.3)])
def test_curves_with_gaps_or_without_points(values: tuple[float, ...]) -> None:
    svg = draw_curves({"val": curve(*values)}, "UAR", chance=0.5, mark_best=True)
    assert not re.search(r"\b(nan|inf)\b", svg, re.IGNORECASE)


def test_reliability_describes_overconfidence() -> None:
    assert "10 clips at confidence 0.50" not in alt(draw_reliability(BINS))
    assert "30 clips at confidence 0.90, of which 80% are right" in alt(draw_reliability(BINS))
    assert " overconfident" in alt(draw_reliability(BINS))
    shy = [Bin(confidence=0.3, accuracy=0.9, count=5)]
    assert "not overconfident" in alt(draw_reliability(shy))


def test_risk_at_full_and_half_coverage_is_in_the_alt_text() -> None:
    description = alt(draw_risk_coverage([(1.0, 0.4), (0.25, 0.0), (0.5, 0.2)]))
    assert (
        "40% of answers are wrong where every clip is answered, 20% where only the more confident half is"
        in description
    )
    assert "0%" in alt(draw_risk_coverage([(1.0, 0.0)]))


def test_speakers_are_named_up_to_a_number() -> None:
    for num in (1, MAX_NAMED, MAX_NAMED + 1, 100):
        names = [f"s{number:03}" for number in range(num)]
        svg = draw_speakers(names, ["unknown"] * num, [0.5] * num, overall=0.5, chance=0.25)
        assert (set(names) <= set(texts(svg))) is (num <= MAX_NAMED)
        speakers = "1 test speaker" if num == 1 else f"{num} test speakers"
        assert f"UAR of {speakers}, from 0.50 (s000)" in alt(svg)


def test_gender_is_shown_by_shape_and_word() -> None:
    svg = draw_speakers(["a", "b"], ["female", "male"], [0.4, 0.7], overall=0.5, chance=0.25)
    assert {"female", "male", "chance", "all speakers"} <= set(texts(svg))
    assert "unknown" not in texts(draw_speakers(["a"], ["unknown"], [0.4], overall=0.4, chance=0.25))


def test_noise_rises_to_the_left_and_clean_stands_apart() -> None:
    svg = draw_robustness([None, 20, -5], [0.6, 0.5, 0.3], "UAR", chance=0.25)
    places = {text.text: float(text.attrib["x"]) for text in ET.fromstring(svg).iter("text")}
    assert places["−5"] < places["20"] < places["clean"]
    assert alt(svg).endswith("0.60 on clean speech, 0.50 at 20 dB, 0.30 at -5 dB.")
    for snrs in ([None], [0.0], [None, 10.0]):
        assert "nan" not in draw_robustness(snrs, [0.0] * len(snrs), "ECE")


def test_every_colour_is_the_pages() -> None:
    for svg in pictures():
        root = ET.fromstring(svg)
        assert not any("style" in element.attrib for element in root.iter())
        styles = " ".join(
            value
            for element in root.iter()
            for key, value in element.attrib.items()
            if key in {"fill", "stroke"}
        )
        without_fallbacks = re.sub(r"var\(--[a-z-]+, #[0-9a-f]{6}\)", "", styles)
        assert "#" not in re.sub(r"url\(#\w+\)", "", without_fallbacks)
        # Text without a fill would be black on black.
        assert all("fill" in element.attrib for element in root.iter("text"))


def luminance(colour: NDArray[np.float64]) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2)."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_sufficient_in_both_themes() -> None:
    page = files("pipeline.report").joinpath("templates/page.css").read_text(encoding="utf-8")
    modes = re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    assert len(modes) == 2
    for mode in modes:
        found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})\b", mode))
        colours = {
            name: np.array([int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)])
            for name, value in found.items()
        }
        for ink in ("ink", "muted", "accent", "warn"):
            assert contrast(colours[ink], colours["paper"]) >= 4.5
        for ink, ground in (
            ("muted", "card"),
            ("on-accent", "accent"),
            ("ink", "warn-soft"),
            ("warn", "warn-soft"),
        ):
            assert contrast(colours[ink], colours[ground]) >= 4.5
        for rate in np.linspace(0, 1, 21):
            cell = rate * colours["shade"] + (1 - rate) * colours["paper"]
            assert contrast(colours["ink"], cell) >= 4.5
    fallbacks = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})\b", modes[0]))
    assert (fallbacks["ink"], fallbacks["muted"], fallbacks["accent"], fallbacks["shade"]) == (
        INK,
        MUTED,
        ACCENT,
        SHADE,
    )


def test_pictures_can_share_a_page() -> None:
    ids = [
        element.attrib["id"]
        for svg in pictures()
        for element in ET.fromstring(svg).iter()
        if "id" in element.attrib
    ]
    assert len(ids) == len(set(ids))
    for svg in pictures():
        assert "<style" not in svg
        assert "http" not in svg
        own = {element.attrib["id"] for element in ET.fromstring(svg).iter() if "id" in element.attrib}
        assert set(re.findall(r"#([mp][0-9a-f]{10})", svg)) == own


def test_names_stay_text() -> None:
    names = ["<b>&", "$x^2$", "心\x00\x1b"]
    shown = texts(draw_confusion(names, COUNTS))
    assert {"<b>&", "$x^2$", "心��"} <= set(shown)


def test_long_names_are_cut() -> None:
    shown = texts(draw_confusion(["a" * 40, "b", "c"], COUNTS))
    assert "a" * 15 + "…" in shown


def test_same_numbers_same_bytes_whatever_the_users_settings() -> None:
    before = pictures()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert pictures() == before
        assert mpl.rcParams["font.size"] == 30
