"""How every stage of the recipe ends badly: with one line."""

import sys
from collections.abc import Callable
from functools import wraps

from featurize.errors import SerError


def report_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Print the message of a SerError and exit with code 2, without a traceback."""

    @wraps(main)
    def wrapped() -> None:
        try:
            main()
        except SerError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)

    return wrapped
