"""Numbers of Tier 0 change only with the VERSION of their step, by which finished shards are reused."""

import json
from typing import Any

import pytest
import torch

from featurize import mfcc
from tests.golden import FILE, STEPS, compute, fault

STORED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("step", STEPS)
def test_numbers_change_only_with_the_version(step: str) -> None:
    assert fault(step, STORED[step], compute(step)) == ""


def test_changed_numbers_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mfcc._WINDOWS, "hamming", lambda n: torch.hamming_window(n, True, 0.55))
    mfcc._transform.cache_clear()
    changed = compute("mfcc")
    mfcc._transform.cache_clear()
    found = fault("mfcc", STORED["mfcc"], changed)
    assert "featurize/mfcc.py" in found
    assert "bump VERSION" in found


def test_a_new_version_has_to_be_stored() -> None:
    assert "make golden" in fault("vad", STORED["vad"], STORED["vad"] | {"version": "next"})


def test_the_golden_clip_has_speech_and_pauses() -> None:
    """The stored clip is one in which the VAD has something to decide."""
    assert len(STORED["vad"]["numbers"]["default"]) >= 4
