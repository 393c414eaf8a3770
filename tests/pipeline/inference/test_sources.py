"""Every argument of `ser predict` becomes recordings, one after the other, or one reason."""

import io
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import AudioError
from pipeline.inference.sources import find_sources


def names(*arguments: str | Path) -> list[str]:
    return [source.name for source in find_sources(arguments)]


def stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_a_folder_is_its_recordings_in_order_without_hidden_ones(tmp_path: Path) -> None:
    kept = ("a/2.flac", "a/3.WAV", "b/deep/er/1.mp3", "b.wav")
    for name in (*kept, "a/._2.flac", ".hidden.wav", ".cache/4.wav", "a/notes.txt", "__MACOSX/a/._3.WAV"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(names(tmp_path)) == sorted(str(tmp_path / name) for name in kept)
    assert names(tmp_path) == names(str(tmp_path))
    assert names(tmp_path / "a") == [str(tmp_path / "a/2.flac"), str(tmp_path / "a/3.WAV")]


def test_a_link_that_leads_back_is_followed_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.wav").touch()
    (tmp_path / "a/again").symlink_to(tmp_path)
    assert names(tmp_path) == [str(tmp_path / "a/1.wav")]


@pytest.mark.parametrize("files", [(), ("._a.wav", ".b.wav", "c.txt")])
def test_a_folder_without_recordings_is_one_reason(files: tuple[str, ...], tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).touch()
    (source,) = find_sources([tmp_path])
    with pytest.raises(AudioError, match="no audio file in this folder"), source.open():
        pass


def test_recordings_are_found_one_at_a_time(tmp_path: Path) -> None:
    def endless() -> Iterator[str]:
        while True:
            yield str(tmp_path / "a.wav")

    assert len(list(islice(find_sources(endless()), 1000))) == 1000


def test_standard_input_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    content = os.urandom(300_000)
    stdin(monkeypatch, content)
    (source,) = find_sources(["-"])
    assert source.name == "stdin"
    with source.open() as path:
        assert path.read_bytes() == content
    assert not path.exists()


def test_standard_input_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = find_sources(["-"])
    monkeypatch.setattr(sys, "stdin", None)  # as after `<&-`
    with pytest.raises(AudioError, match="closed"), source.open():
        pass

    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Terminal()))
    with pytest.raises(AudioError, match="a terminal"), source.open():
        pass
    stdin(monkeypatch, b"12345")
    monkeypatch.setattr("pipeline.inference.download.MOST_BYTES", 4)
    with pytest.raises(AudioError, match="more than"), source.open():
        pass


def test_an_address_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    fsspec.filesystem("memory").pipe_file("/clips/a.wav", b"bytes")
    source, absent, strange = find_sources(["memory://clips/a.wav", "memory://clips/b.wav", "nope://a.wav"])
    with source.open() as path:
        assert path.read_bytes() == b"bytes"
    with pytest.raises(AudioError, match="no such file"), absent.open():
        pass
    with pytest.raises(AudioError, match="not a URL that can be read"), strange.open():
        pass
    asked: list[Any] = []
    monkeypatch.setattr("pipeline.inference.sources.download", lambda *each: asked.append(each))
    (source,) = find_sources(["https://example.org/a.wav"])
    with source.open() as path:
        assert asked == [("https://example.org/a.wav", path)]


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", "\udcff.wav", "  ", "file:///absent.wav"])
def test_any_name_is_a_source(name: str) -> None:
    (source,) = find_sources([name])
    assert source.name == name
    with source.open() as path:  # what is there, the decoders say
        assert isinstance(path, Path)


def test_an_empty_name_is_not_the_working_directory() -> None:
    (source,) = find_sources([""])
    with pytest.raises(AudioError, match="an empty name"), source.open():
        pass
