"""Decorator of all stages of the recipe: working folder, and errors as one line."""

import contextlib
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from featurize.errors import SerError

FOLDER = Path("recipes/compact_denoiser")
"""Relative to the project's root; DVC runs the stages in this folder."""


def stage(main: Callable[[], None]) -> Callable[[], None]:
    """Run `main` in the recipe's folder, also if called from the project's root; a SerError ends in exit code 2."""

    @wraps(main)
    def wrapped() -> None:
        try:
            with contextlib.chdir(FOLDER if FOLDER.is_dir() else Path()):
                main()
        except SerError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)

    return wrapped
