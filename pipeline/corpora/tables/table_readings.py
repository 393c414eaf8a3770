"""Translation of paths that were written on another system or for a shell."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote

from pipeline.corpora.tables.table_cells import clean, visible
from pipeline.locations import PROTOCOL

Kinds = tuple[str, ...]
"""How a path was translated, in words that end the sentence "12 paths found ..."."""


def readings(text: str) -> Iterator[tuple[str, Kinds]]:
    """A path as written, and after each step of its translation, with the steps so far."""
    yield text, ()
    kinds: Kinds = ()
    for kind, read in READINGS:
        try:
            meant = read(text)
        except (ValueError, RuntimeError):
            continue
        if meant != text:
            text, kinds = meant, (*kinds, kind)
            yield text, kinds


def from_address(text: str) -> str:
    """The path in a file:// address; any other text unchanged."""
    if not text.lower().startswith("file:"):
        return text
    path = unquote(re.sub(r"^file:(//(localhost)?)?(?=/)", "", text, flags=re.IGNORECASE))
    path = re.sub(r"^file:(//)?", "", path, flags=re.IGNORECASE)
    return re.sub(r"^/(?=[A-Za-z]:[/\\])", "", path)


def _mounted(match: "re.Match[str]") -> str:
    return f"/mnt/{match[1].lower()}/"


def name_of(text: str, *, as_is: bool) -> PurePosixPath:
    """The path for a clip id: without protocol, drive letter and leading slash."""
    if not as_is:
        text = clean(from_address(text).replace("\\", "/"))
        text = re.sub(r"^[A-Za-z]:/", "", text)
    return PurePosixPath(PROTOCOL.sub("", text).lstrip("/"))


READINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("as file:// addresses", from_address),
    ("without invisible characters", lambda text: "/".join(visible(part) for part in text.split("/"))),
    ("with the home folder for ~", os.path.expanduser),
    ("with the values of variables", os.path.expandvars),
    ("with / for \\", lambda text: text.replace("\\", "/")),
    ("under /mnt for a drive letter", lambda text: re.sub(r"^([A-Za-z]):/+", _mounted, text)),
)
