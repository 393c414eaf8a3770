"""How every stage of the recipe starts, in the recipe's folder, and how it ends badly, with one line."""

import contextlib
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from featurize.errors import SerError

FOLDER = Path("recipes/compact_denoiser")
"""Seen from the project's root; DVC runs the stages in it."""


def stage(main: Callable[[], None]) -> Callable[[], None]:
    """Run in the recipe's folder, if called from the project's root; end a SerError in one line and exit code 2."""

    @wraps(main)
    def wrapped() -> None:
        try:
            with contextlib.chdir(FOLDER if FOLDER.is_dir() else Path()):
                main()
        except SerError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)

    return wrapped
