"""The standard streams: text that the terminal's encoding lacks is replaced, and a fault of the program is one line."""

import io
import os
import sys
import traceback
from typing import TextIO

TRACEBACK = "SER_TRACEBACK"
"""Environment variable: with any value, a fault of the program is printed with its traceback."""


def replace_what_cannot_be_printed() -> None:
    """Print "?" for characters that the encoding of standard output lacks, and an escape to standard error.

    File names may hold bytes that are no text at all, and a pipe on Windows, or LANG=C, has few characters.
    """
    for stream, errors in ((sys.stdout, "replace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def can_print(text: str, stream: TextIO) -> bool:
    """Whether the encoding of a stream has every character of a text."""
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def describe_fault(error: BaseException) -> str:
    """A fault of the program in one line: what it is, and where."""
    if TRACEBACK in os.environ:
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename] or list(frames)
    where = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return f"a fault of the program, not of its input: {what}{where}; {TRACEBACK}=1 shows more"


def describe_refusal(error: OSError) -> str:
    """What the operating system refused, in one line."""
    files = " and ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    what = error.strerror or " ".join(str(error).split()) or type(error).__name__
    return f"{files}: {what[0].lower()}{what[1:]}" if files else f"the operating system refused: {what}"
