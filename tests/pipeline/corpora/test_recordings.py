"""Finding and naming recordings."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurize.errors import CorpusError
from pipeline.corpora.clip import LeftOut
from pipeline.corpora.recordings import audio_files, clip_ids, one_per_name


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_audio_is_found_at_any_depth_with_any_ending_in_stable_order(tmp_path: Path) -> None:
    touch(tmp_path, "b.WAV", "a/c.flac", "a/d.mp3", "readme.txt", "a/labels.csv")
    assert [str(path) for path in audio_files(tmp_path, "x")] == ["a/c.flac", "a/d.mp3", "b.WAV"]


def test_hidden_files_are_no_recordings(tmp_path: Path) -> None:
    touch(tmp_path, "a/c.wav", "a/._c.wav", ".trash/d.wav", "__MACOSX/a/._c.wav", ".e.wav")
    assert [str(path) for path in audio_files(tmp_path, "x")] == ["a/c.wav"]
    touch(tmp_path / ".corpora" / "x", "f.wav")  # the name of the root itself is the user's choice
    assert [str(path) for path in audio_files(tmp_path / ".corpora", "x")] == ["x/f.wav"]


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.wav")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "real", target_is_directory=True)
    assert [str(path) for path in audio_files(tmp_path / "root", "x")] == ["linked/a.wav"]


@pytest.mark.parametrize("kind", ["absent", "file", "empty"])
def test_a_root_without_audio_is_an_error(tmp_path: Path, kind: str) -> None:
    root = tmp_path / kind
    if kind == "file":
        root.write_text("")
    elif kind == "empty":
        root.mkdir()
    expected = {"absent": "does not exist", "file": "is a file", "empty": "no audio file"}[kind]
    with pytest.raises(CorpusError, match=rf"corpus\.root.*{expected}"):
        audio_files(root, "ravdess")


def test_identical_duplicates_are_read_once(tmp_path: Path) -> None:
    touch(tmp_path, "Actor_01/x.wav", "Actor_02/y.wav")
    (tmp_path / "all" / "Actor_01").mkdir(parents=True)
    (tmp_path / "all" / "Actor_01" / "x.wav").write_bytes((tmp_path / "Actor_01" / "x.wav").read_bytes())
    paths, left_out = one_per_name(tmp_path, audio_files(tmp_path, "x"), "x")
    assert [str(path) for path in paths] == ["Actor_01/x.wav", "Actor_02/y.wav"]
    assert left_out == [LeftOut("x/all/Actor_01/x.wav", "x/Actor_01/x.wav", "same name and bytes")]


def test_different_files_of_one_name_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.wav", "b/x.wav")
    with pytest.raises(CorpusError, match=r"a/x\.wav and .*b/x\.wav"):
        one_per_name(tmp_path, audio_files(tmp_path, "x"), "x")


def test_ids_omit_the_ending_where_possible() -> None:
    paths = [PurePosixPath(name) for name in ("a/x.wav", "a/x.mp3", "b/y.z.flac", "ä ö/ü.wav")]
    assert clip_ids("c", paths) == ["c/a/x.wav", "c/a/x.mp3", "c/b/y.z", "c/ä ö/ü"]


def test_a_name_that_is_not_utf_8_is_an_error() -> None:
    with pytest.raises(CorpusError, match="not UTF-8"):
        clip_ids("c", [PurePosixPath("bad\udce4.wav")])


segment = st.text(st.sampled_from("ab.~2"), min_size=1, max_size=6).filter(
    lambda text: text not in {".", ".."}
)


@given(st.lists(st.lists(segment, min_size=1, max_size=3).map("/".join).map(PurePosixPath), max_size=30))
def test_ids_are_unique_whatever_the_names(paths: list[PurePosixPath]) -> None:
    names = clip_ids("c", paths)
    assert len(names) == len(set(names)) == len(paths)
