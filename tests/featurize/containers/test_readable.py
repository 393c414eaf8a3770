"""What is no audio file is refused in words, before a decoder guesses at it."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from featurize.audio import decode
from featurize.containers.readable import _is_text, check_file
from featurize.decoders import ENDINGS
from featurize.errors import AudioError

RATE = 16_000


def refusal(path: Path) -> tuple[str, str]:
    with pytest.raises(AudioError) as caught:
        check_file(path)
    assert "\n" not in caught.value.detail
    return caught.value.reason, caught.value.found


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_text_is_not_audio_whatever_its_name(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"clip{ending}"
    for text in (
        "x",
        "two\r\nlines\t",
        "<html>404 Not Found</html>",
        "caf\u00e9 " * 2000,
        "\u611f\u60c5" * 3000,
    ):
        path.write_text(text, encoding="utf-8")
        assert refusal(path) == ("undecodable", "not audio, but text")
        with pytest.raises(AudioError, match="not audio, but text"):
            decode(path)
    path.write_bytes(b"")
    assert refusal(path) == ("empty", "an empty file (zero bytes)")


def test_pipes_and_folders_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe")[0] == "unreadable"
    assert refusal(tmp_path)[0] == "directory"
    assert refusal(tmp_path / "absent")[0] == "missing"


@pytest.mark.parametrize("form", sorted(soundfile.available_formats()))
def test_no_format_begins_like_text(tmp_path: Path, form: str) -> None:
    """Among them NIST's SPHERE, whose header is 1024 bytes of text."""
    if form == "RAW":
        return
    samples = np.random.default_rng(0).normal(0, 0.1, RATE)
    subtype = soundfile.default_subtype(form)
    soundfile.write(tmp_path / "clip", samples, RATE, subtype, format=form)
    check_file(tmp_path / "clip")


@given(st.binary(min_size=1, max_size=64), st.sampled_from([0, 1, 8, 27, 127]))
def test_a_control_byte_is_no_text(content: bytes, control: int) -> None:
    assert not _is_text(content + bytes([control]))


@given(
    st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc")), min_size=1), st.integers(0, 3)
)
def test_text_may_be_cut_within_its_last_character(text: str, cut: int) -> None:
    content = text.encode()
    assert _is_text(content[: max(1, len(content) - min(cut, len(text[-1].encode()) - 1))])
