"""Cells of a user's table → values: missing values, invisible characters, numbers and times."""

import math
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# The missing values of pandas, in any case, and other common ones.
_MISSING = {
    *("#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "<na>", "n/a", "na"),
    *("null", "nan", "none", "nat", "n.a.", "-", "--", "?", "#value!", "#ref!"),
}
_NOBODY = {"unknown", "unk"}
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters without a visible glyph
_INTEGER = re.compile(r"0*([0-9]+?)(\.0*)?")
_CLOCK = re.compile(
    r"(?:(?P<days>[+-]?\d+) days?,? ?)?(?P<sign>[+-]?)(?:(?P<hours>\d+):)?(?P<minutes>\d+):(?P<seconds>\d+(?:\.\d*)?)"
)
_UNITS = {"s": 1.0, "sec": 1.0, "ms": 1e-3}
_WITH_UNIT = re.compile(r"([+-]?[0-9.]+) ?(s|sec|ms)")


def clean(text: str) -> str:
    """The text in composed Unicode form, with single spaces between words and without invisible characters."""
    return unicodedata.normalize("NFC", visible(text))


def visible(text: str) -> str:
    """The text with single spaces between words and without invisible characters."""
    if text.isascii() and text.isprintable():  # most cells: nothing in them is invisible
        return " ".join(text.split())
    kept = []
    for character in text:
        if character.isspace() or character in _FILLERS:
            kept.append(" ")
        elif unicodedata.category(character) not in {"Cf", "Cc"}:
            kept.append(character)
    return " ".join("".join(kept).split())


@lru_cache(maxsize=10_000)  # labels, speakers and genders recur in every row
def known(text: str) -> str:
    """The cleaned text, or "" if it stands for a missing value."""
    text = clean(text)
    return "" if text.lower() in _MISSING else text


def known_name(text: str) -> str:
    """As `known`, for attributes of a person, where `unknown` also stands for a missing value."""
    text = known(text)
    return "" if text.lower() in _NOBODY else text


def shortest_integers(texts: Iterable[str]) -> dict[str, str]:
    """Text → shortest form, such as 3 for 03 and 3.0, if all texts are integers; else empty."""
    found = {text: _INTEGER.fullmatch(text) for text in texts if text}
    return {text: match[1] for text, match in found.items() if match} if all(found.values()) else {}


def number(text: str, decimal_comma: bool = False) -> float | None:
    """A finite number, or None if the value is missing.

    Raises:
        ValueError: the text is not a finite number.
    """
    if not (text := known(text)):
        return None
    plain = text.replace(",", ".") if decimal_comma and text.count(",") == 1 and "." not in text else text
    try:
        value = float(plain)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    return value


def seconds(text: str, decimal_comma: bool = False) -> float | None:
    """A time in s, rounded to the microsecond, from 1.5, `0 days 00:00:01.5`, `1:02.5`, `1.5s` or `1500ms`.

    Returns:
        The time, or None if the value is missing.

    Raises:
        ValueError: the text is not a time.
    """
    value: float | None
    text = known(text)
    if (match := _CLOCK.fullmatch(text)) is not None:
        parts = {name: float(part) for name, part in match.groupdict("0").items() if name != "sign"}
        time = parts["hours"] * 3600 + parts["minutes"] * 60 + parts["seconds"]
        value = parts["days"] * 86_400 + (-time if match["sign"] == "-" else time)
    else:
        plain, unit = match.groups() if (match := _WITH_UNIT.fullmatch(text)) is not None else (text, "s")
        try:
            value = number(plain, decimal_comma)
        except ValueError:
            value = math.nan
        if value is None:
            return None
        value *= _UNITS[unit]
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]!r} is not a time; give seconds, such as 1.5")
    return round(value, 6)
