"""The part of a file that a clip is, where it is not the whole of it."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from featurize.errors import AudioError


class Span(NamedTuple):
    """A part of a file, in seconds."""

    start_s: float
    end_s: float | None
    """None: the end of the file."""

    def __str__(self) -> str:
        return f"{_brief(self.start_s)}-{'end' if self.end_s is None else _brief(self.end_s)}"

    def digest(self, sha256: str) -> str:
        """SHA-256 that stands for the part in the manifest: of the line "file's SHA-256, start, end"."""
        end = "" if self.end_s is None else self.end_s
        return hashlib.sha256(f"{sha256} {self.start_s} {end}".encode()).hexdigest()

    def try_digest(self, sha256: str, path: str) -> str | AudioError:
        """The same, or what is wrong with a part that no file can have."""
        if self.start_s < 0:
            return AudioError(
                "bad-segment", f"{path}: the clip starts at {self.start_s:g} s, before the file"
            )
        if self.end_s is not None and self.end_s <= self.start_s:
            return AudioError(
                "bad-segment", f"the clip ends at {self.end_s:g} s, but starts at {self.start_s:g} s", path
            )
        return self.digest(sha256)

    def overlaps(self, other: "Span") -> bool:
        """Whether two parts of one file share sound."""
        return (other.end_s is None or self.start_s < other.end_s) and (
            self.end_s is None or other.start_s < self.end_s
        )


def span_of(row: Mapping[str, Any]) -> Span | None:
    """The part of its file that a row of the manifest (or of a shard made from it) is; None: the whole."""
    start, end = row.get("start_s"), row.get("end_s")
    if start in {None, ""} and end in {None, ""}:
        return None
    return Span(float(start or 0.0), float(end) if end not in {None, ""} else None)


def _brief(seconds: float) -> str:
    """Two decimals, or as many as it takes."""
    return f"{seconds:.2f}" if round(seconds, 2) == seconds else f"{seconds:.6f}".rstrip("0")
