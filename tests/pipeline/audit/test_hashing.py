"""Hashes of recordings, and files that have none."""

from pathlib import Path

import pytest

from featurize.errors import AudioError
from pipeline.audit.hashing import hash_audio


def test_a_file_without_read_permission_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF\0")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AudioError, match=r"a\.wav: no permission") as error:
        hash_audio(tmp_path / "a.wav")
    assert error.value.reason == "unreadable"


@pytest.mark.parametrize("name", ["zero\0byte.wav", "x" * 5000])
def test_impossible_names_are_rejected(name: str) -> None:
    with pytest.raises(AudioError):
        hash_audio(Path(name))
