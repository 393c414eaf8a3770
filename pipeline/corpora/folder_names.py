"""Names of the files in a folder, by what a table may have in their place: another case, another Unicode form."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from featurize.decoders import ENDINGS


def composed(name: str) -> str:
    """The composed Unicode form (NFC), in which two names that look alike are equal."""
    return unicodedata.normalize("NFC", name)


def list_folder(folder: Path) -> "FolderNames":
    """Names of what a folder holds; none where it cannot be read."""
    try:
        return FolderNames(sorted(os.listdir(folder)))  # noqa: PTH208 - names are all that is needed
    except (OSError, ValueError):
        return FolderNames([])


class FolderNames:
    """Names in a folder, to be found by others.

    Args:
        names: as the folder has them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._forms, self._cases, self._stems = (defaultdict[str, list[str]](list) for _ in range(3))
        for name in names:
            self._forms[composed(name)].append(name)
            self._cases[composed(name).casefold()].append(name)
            if PurePosixPath(name).suffix.lower() in ENDINGS:
                self._stems[composed(PurePosixPath(name).stem)].append(name)

    def like(self, name: str, *, last: bool) -> tuple[str, str] | None:
        """The one name that is meant by another, and how it differs; the last of a path may lack its ending."""
        form = composed(name)
        for names, kind in (
            (self._forms.get(form), "in another Unicode form"),
            (self._cases.get(form.casefold()), "in another case"),
            (self._stems.get(form) if last else None, "with an ending added"),
        ):
            if names:
                return (names[0], kind) if len(names) == 1 else None
        return None

    def near(self, name: str) -> str | None:
        """Files that a name may mean, of which none can be chosen."""
        form = composed(name)
        names = self._cases.get(form.casefold()) or self._stems.get(composed(PurePosixPath(form).stem)) or []
        return " and ".join(names[:3]) or None
