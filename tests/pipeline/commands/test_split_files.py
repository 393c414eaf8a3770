"""Options of `ser audit` reach what does the work."""

from pathlib import Path
from typing import Any

from pipeline.extraction.engine import InProcess


def test_audit(reached: Any) -> None:
    options = ("--speaker", "a", "--speaker", "b=c", "--audio", "wavs", "--no-fingerprint", "--workers", "0")
    arguments = reached("pipeline.audit.split_files.audit_files.audit_files", "audit", "x", "y", *options)
    assert isinstance(arguments.pop("engine"), InProcess)
    assert arguments == {
        "places": [Path("x"), Path("y")],
        "speaker": ["a", "b=c"],
        "audio": Path("wavs"),
        "fingerprint": False,
    }
