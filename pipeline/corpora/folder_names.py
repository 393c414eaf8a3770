"""Looking up file names of a folder regardless of case, Unicode form and a missing ending."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from featurize.decoders import ENDINGS


def composed(name: str) -> str:
    """The composed Unicode form (NFC), in which names that look the same are equal."""
    return unicodedata.normalize("NFC", name)


def list_folder(folder: Path) -> "FolderNames":
    """Names of the entries of a folder; empty if it cannot be read."""
    try:
        return FolderNames(sorted(os.listdir(folder)))  # noqa: PTH208 - names are all that is needed
    except (OSError, ValueError):
        return FolderNames([])


class FolderNames:
    """The names in a folder, indexed by Unicode form, case and stem.

    Args:
        names: of the entries of the folder.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._forms, self._cases, self._stems = (defaultdict[str, list[str]](list) for _ in range(3))
        for name in names:
            self._forms[composed(name)].append(name)
            self._cases[composed(name).casefold()].append(name)
            if PurePosixPath(name).suffix.lower() in ENDINGS:
                self._stems[composed(PurePosixPath(name).stem)].append(name)

    def match(self, name: str, *, last: bool) -> tuple[str, str] | None:
        """The only matching name and how it differs from `name`, or None; `last`: `name` may lack its ending."""
        form = composed(name)
        for names, kind in (
            (self._forms.get(form), "in another Unicode form"),
            (self._cases.get(form.casefold()), "in another case"),
            (self._stems.get(form) if last else None, "with an ending added"),
        ):
            if names:
                return (names[0], kind) if len(names) == 1 else None
        return None

    def candidates(self, name: str) -> str | None:
        """Up to three names that differ from `name` in case or ending, for a message; None if there are none."""
        form = composed(name)
        names = self._cases.get(form.casefold()) or self._stems.get(composed(PurePosixPath(form).stem)) or []
        return " and ".join(names[:3]) or None
