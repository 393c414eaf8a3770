"""How a picture is drawn and made part of its page.

matplotlib's SVG cannot be embedded as it is: its colours are fixed, its ids repeat in every picture, its style sheet
would apply to the whole page, its style attributes would need a laxer security policy, and it contains URLs. So each
picture is drawn in a palette of four colours, which are then replaced by the page's CSS variables, and styles become
attributes; text stays text, in the page's font. Pictures are deterministic: the same numbers give the same bytes.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.figure import Figure

# What the pictures are drawn in, and what each colour becomes on the page (the drawn colour is the fallback).
INK, MUTED, ACCENT, SHADE = "#1d232a", "#5d6773", "#17617a", "#5f9fb5"
PAGE_COLOURS = {
    INK: "currentColor",
    MUTED: f"var(--muted, {MUTED})",
    ACCENT: f"var(--accent, {ACCENT})",
    SHADE: f"var(--shade, {SHADE})",
}
SCALE = 1.45  # CSS pixels to a point, where there is room: text of about the page's own size
TIDY_STEPS = (1, 2, 2.5, 5, 10)  # between ticks, times a power of ten
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


@contextmanager
def drawing(salt: str) -> Iterator[None]:
    """Matplotlib's defaults and ours while one picture is drawn; the user's matplotlibrc is ignored."""
    with mpl.rc_context(), warnings.catch_warnings():
        # The browser draws the text, so it does not matter that matplotlib's font lacks a letter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()
        mpl.rcParams.update({**RC, "svg.hashsalt": salt})
        yield


def plain(text: str) -> str:
    """A name without characters that XML forbids, short enough for an axis."""
    clean = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return clean if len(clean) <= MAX_LABEL else clean[: MAX_LABEL - 1] + "…"


def inline_svg(figure: Figure, alt: str, roomy: bool = False) -> str:
    """Draw a figure as one `<svg>` in the page's colours and font, without URLs.

    Args:
        figure: what to draw.
        alt: what the picture shows, for screen readers.
        roomy: the picture scrolls on a narrow screen instead of shrinking until it cannot be read.
    """
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ET.fromstring(drawn.getvalue())  # noqa: S314  written by matplotlib a line above
    width_pt, height_pt = map(float, root.attrib["viewBox"].split()[2:])
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in {"metadata", "style"}:
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.text = (element.text or "").strip() or None
        element.tail = None
        attributes = {_local(key): value for key, value in element.attrib.items() if _is_needed(element, key)}
        element.attrib = attributes | _as_attributes(attributes.pop("style", ""))
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "width": f"{SCALE * width_pt:.0f}",
        "height": f"{SCALE * height_pt:.0f}",
        "class": "picture roomy" if roomy else "picture",
        "role": "img",
        "aria-label": alt,
        "stroke-linejoin": "round",
    }
    return ET.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    """A name without its namespace: HTML knows SVG's elements without one."""
    return name.rpartition("}")[2]


def _is_needed(element: ET.Element, key: str) -> bool:
    """Whether an attribute stays: ids only where something refers to them (markers and clip paths)."""
    return key != "id" or element.tag in {"path", "clipPath"}


def _as_attributes(style: str) -> dict[str, str]:
    """A style as SVG's presentation attributes, in the page's colours and without a font."""
    style = re.sub("|".join(PAGE_COLOURS), lambda colour: PAGE_COLOURS[colour.group()], style)
    pairs = (rule.partition(":") for rule in style.split(";") if rule.strip())
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip() != "font-family"}
