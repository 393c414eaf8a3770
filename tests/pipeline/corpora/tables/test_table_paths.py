"""Paths of other systems, folders and spellings are resolved if only one file matches."""

import unicodedata
from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.tables.table_paths import Found, find_audio_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose table lies beside clips/; the working directory is elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATA", str(tmp_path / "lists"))
    for name in ("lists/clips/a.wav", "lists/clips/hapü b.wav", "home/mine/c.wav", "audio/deep/er/d.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"audio")
    return tmp_path


def find(folder: Path, *texts: str, root: str | None = None) -> list[Found]:
    return find_audio_of(folder / "lists" / "t.csv", texts, None if root is None else folder / root)


A = "lists/clips/a.wav"
UE = "lists/clips/hapü b.wav"


@pytest.mark.parametrize(
    ("text", "file", "kind"),
    [
        ("clips/a.wav", A, None),
        ("clips\\a.wav", A, r"1 path found with / for \\"),
        (".\\clips\\a.wav", A, r"with / for \\"),
        ("clips/A.WAV", A, "in another case"),
        ("Clips\\a.Wav", A, "in another case"),
        ("clips/a", A, "with an ending added"),
        ("clips/a.wav\u200b", A, "without invisible characters"),
        ("clips/hapü\u00a0b.wav", UE, "without invisible characters"),
        (unicodedata.normalize("NFD", "clips/hapü b.wav"), UE, "in another Unicode form"),
        ("CLIPS/HAPÜ B", None, None),
        ("~/mine/c.wav", "home/mine/c.wav", "with the home folder for ~"),
        ("$DATA/clips/a.wav", A, "with the values of variables"),
        ("${DATA}\\clips\\a.wav", A, "with the values of variables"),
        ("file://{folder}/lists/clips/hap%C3%BC%20b.wav", UE, "as file:// addresses"),
        ("file:{folder}/lists/clips/a.wav", A, "as file:// addresses"),
        ("C:\\data\\clips\\a.wav", A, "by their last parts"),
        ("\\\\server\\share\\clips\\a.wav", A, "by their last parts"),
        ("file:///D:/x/clips/a.wav", A, "by their last parts"),
        ("/home/somebody/clips/a.wav", A, "by their last parts"),
        ("$NOWHERE/clips/a.wav", A, "by their last parts"),
        ("/home/somebody/a.wav", None, None),
        ("other/a.wav", None, None),
        ("b.wav", None, None),
    ],
)
def test_each_way_to_write_a_path(
    folder: Path, text: str, file: str | None, kind: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    text = text.format(folder=folder) if "{folder}" in text else text
    found, _ = find(folder, text, "clips/a.wav" if file != A else "clips/hapü b.wav")
    if file is None:
        assert not found.location.exists()
    else:
        assert found.location.samefile(folder / file)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) >= 1 if kind else messages == []
    assert all("t.csv" in message for message in messages)
    if kind:
        assert kind.replace("\\\\", "\\") in caplog.text


def test_each_kind_of_translation_is_logged_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        (folder / "lists" / "clips" / f"{number}.wav").write_bytes(b"")
    find(folder, *(f"clips\\{number}.wav" for number in range(3)))
    (record,) = caplog.records
    assert "3 paths found with / for \\" in record.getMessage()


def test_a_path_that_matches_two_files_is_not_resolved(folder: Path) -> None:
    (folder / "lists" / "clips" / "A.Wav").write_bytes(b"other")
    if len([*(folder / "lists" / "clips").iterdir()]) < 3:
        pytest.skip("this file system knows no case")
    (folder / "lists" / "clips" / "a.flac").write_bytes(b"other")
    upper, bare, right = find(folder, "clips/A.WAV", "clips/a", "clips/a.wav")
    assert not upper.location.exists()
    assert not bare.location.exists()
    assert right.location.samefile(folder / A)


def test_two_paths_are_not_resolved_to_one_file(folder: Path) -> None:
    one, other, real = find(folder, "/x/clips/a.wav", "/y/clips/a.wav", "clips/hapü b.wav")
    assert not one.location.exists()
    assert not other.location.exists()
    moved, real = find(folder, "/x/clips/a.wav", "clips/a.wav")
    assert not moved.location.exists()
    assert real.location.exists()


def test_audio_root_comes_first_and_is_searched(folder: Path) -> None:
    (folder / "audio" / "clips").mkdir()
    (folder / "audio" / "clips" / "a.wav").write_bytes(b"its own")
    inside, deep, by_end = find(folder, "clips/a.wav", "d.wav", "/mnt/nas/er/d.wav", root="audio")
    assert inside.location.read_bytes() == b"its own"
    assert not by_end.location.exists() and not deep.location.exists()  # both would be one file
    (alone,) = find(folder, "d.wav", root="audio")
    assert alone.location.samefile(folder / "audio" / "deep" / "er" / "d.wav")
    (folder / "audio" / "clips" / "d.wav").write_bytes(b"second")
    _, ambiguous = find(folder, "clips/a.wav", "x/d.wav", root="audio")
    assert ambiguous.location == folder / "audio" / "x" / "d.wav"


def test_an_audio_root_that_is_not_a_folder_is_an_error(folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"corpus\.audio_root.*not a folder"):
        find(folder, "a.wav", root="nowhere")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a.wav", "names without a folder; set corpus.audio_root"),
        ("D:\\rec\\x.wav", "paths of a Windows machine; set corpus.audio_root"),
        ("rec\\x.wav", "Windows"),
        ("$NOWHERE/x.wav", "$NOWHERE is not set"),
        ("%NOWHERE%/x.wav", "%NOWHERE% is not set"),
        ("~/x.wav", "~ is"),
        ("/mnt/rec/x.wav", "another machine"),
        ("rec/x.wav", "relative to the table's folder"),
        ("clips/a.mp3", "holds a.wav"),
        ("x\0.wav", "audio_root"),
    ],
)
def test_if_no_file_exists_the_error_names_the_likely_cause(folder: Path, text: str, cause: str) -> None:
    with pytest.raises(CorpusError) as error:
        find(folder, text, text + "2")
    message = str(error.value)
    assert cause in message
    assert "none of its paths (2) exists; the first one, " in message
    assert "\n" not in message


def test_ids_omit_protocol_and_drive(folder: Path) -> None:
    texts = ["clips\\a.wav", "C:\\clips\\hapü b.wav", "s3://bucket/x/y.wav", "/abs/z.wav"]
    assert [str(found.name) for found in find(folder, *texts)] == [
        *("clips/a.wav", "clips/hapü b.wav", "bucket/x/y.wav", "abs/z.wav")
    ]
