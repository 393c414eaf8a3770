"""Trees of small files under the names of a corpus."""

from pathlib import Path


def grow(root: Path, *names: str, text: str = "") -> Path:
    """Write files below a folder, and return the folder.

    Args:
        root: the folder.
        names: relative paths.
        text: what is in each file; by default its own name, so that no two recordings are the same.
    """
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or path.name, encoding="utf-8")
    return root
