"""A user's CSV: both formats, every way to write one, and one line for everything that is wrong with it."""

import re
from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora import table


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project; the working directory is its root, the table lies in lists/."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists").mkdir()
    return tmp_path


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "lists" / "my table.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def error_of(folder: Path, text: str | bytes) -> str:
    with pytest.raises(CorpusError) as error:
        table.read(write(folder, text))
    message = str(error.value)
    assert "\n" not in message
    assert "my table.csv" in message
    return message


def test_the_full_format(folder: Path) -> None:
    corpus = table.read(
        write(
            folder,
            "file_path,emotion_code,speaker,gender,split,valence,arousal,comment\n"
            "a/1.wav,happy,Ses01,F,train,4.5,3,first\n"
            "a/2.wav,sad,Ses02,male,dev,,,\n"
            "a/3.wav,sad,Ses03,,test,nan,-0.5,\n",
        )
    )
    one, two, three = corpus.clips
    assert (one.clip_id, one.corpus, one.emotion) == ("table/a/1", "table", "happy")
    assert (one.speaker, one.gender, one.split) == ("Ses01", "female", "train")
    assert (one.valence, one.arousal) == (4.5, 3.0)
    assert (two.gender, two.split, two.valence, two.arousal) == ("male", "val", None, None)
    assert (three.gender, three.split, three.valence, three.arousal) == ("", "test", None, -0.5)
    assert corpus.emotions == ()


def test_the_simple_format(folder: Path) -> None:
    clips = table.read(write(folder, "path,label\n/x/audio1.wav,0\n/x/audio2.wav,1\n")).clips
    assert [(clip.clip_id, clip.path, clip.emotion) for clip in clips] == [
        ("table/x/audio1", Path("/x/audio1.wav"), "0"),
        ("table/x/audio2", Path("/x/audio2.wav"), "1"),
    ]


@pytest.mark.parametrize(
    "written",
    [
        "\ufefffile_path,emotion_code\na.wav,happy\n",
        "file_path,emotion_code\r\na.wav,happy\r\n",
        "file_path,emotion_code\ra.wav,happy\r",
        "file_path,emotion_code\na.wav,happy",
        " file_path , Emotion_Code \n a.wav , happy \n",
        '"file_path","emotion_code"\n"a.wav","happy"\n',
        "file_path;emotion_code\na.wav;happy\n",
        "file_path\temotion_code\na.wav\thappy\n",
        "\n\nfile_path,emotion_code\n\n,\na.wav,happy\n\n",
        "file_path,emotion_code\na.wav,happy,,\n",
        ",file_path,emotion_code\n0,a.wav,happy\n",
        "file_path,emotion_code\na.wav,happy\n".encode("utf-16"),
    ],
    ids=[
        *("bom", "crlf", "cr", "no-final-newline", "spaces", "quotes", "semicolon", "tab"),
        *("blank-rows", "spare-commas", "index", "utf-16"),
    ],
)
def test_every_way_to_write_the_same_table(folder: Path, written: str | bytes) -> None:
    (clip,) = table.read(write(folder, written)).clips
    assert (clip.clip_id, clip.path, clip.emotion) == ("table/a", folder / "lists" / "a.wav", "happy")


@pytest.mark.parametrize(
    "name", ["häß lich/été, 日本語.wav", 'quo"te.wav', "semi;colon.wav", "new\nline.wav"]
)
def test_odd_paths_survive(folder: Path, name: str) -> None:
    path = folder / "lists" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"audio")
    quoted = name.replace('"', '""')
    (clip,) = table.read(write(folder, f'path,label\n"{quoted}",3\n')).clips
    assert clip.path.read_bytes() == b"audio"
    assert clip.clip_id == f"table/{name.removesuffix('.wav')}"


def test_paths_are_looked_for_absolutely_beside_the_table_and_from_the_root(folder: Path) -> None:
    for place in ("lists/both.wav", "both.wav", "root.wav", "lists/beside.wav", "elsewhere/abs.wav"):
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_bytes(b"x")
    absolute = folder / "elsewhere" / "abs.wav"
    text = f"path,label\nboth.wav,0\nroot.wav,0\nbeside.wav,1\n{absolute},1\nnowhere.wav,1\n"
    paths = [clip.path for clip in table.read(write(folder, text)).clips]
    beside = folder / "lists"
    assert paths == [
        *(beside / "both.wav", Path("root.wav"), beside / "beside.wav", absolute, beside / "nowhere.wav")
    ]


def test_identical_rows_are_dropped_and_counted(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "path,label,speaker\na.wav,0,s\nb.wav,1,s\na.wav,0,s\n./a.wav,0,s\n"
    assert [clip.path.name for clip in table.read(write(folder, text)).clips] == ["a.wav", "b.wav"]
    assert "2 duplicate rows dropped" in caplog.text


def test_genders_that_are_not_read_are_counted(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    clips = table.read(write(folder, "path,label,gender\na.wav,0,diverse\nb.wav,1,Woman\n")).clips
    assert [clip.gender for clip in clips] == ["", "female"]
    assert "gender of 1 rows left empty (row 2: 'diverse')" in caplog.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("path,label\n", "no rows"),
        ("path,label\n\n,\n", "no rows"),
        ("pfad,label\na.wav,0\n", r"no column 'file_path' or 'path'; it has pfad, label"),
        ("file_pth,label\na.wav,0\n", r"it has file_pth, label; is 'file_pth' meant\?"),
        (
            "path,lable\na.wav,0\n",
            r"no column 'emotion_code' or 'label'; it has path, lable; is 'lable' meant\?",
        ),
        ("path,emotion\na.wav,sad\n", r"no column 'emotion_code' or 'label'; it has path, emotion"),
        ("path,label\na.wav,0\nb.wav,\n", r"row 3, column label: empty"),
        ("path,label\na.wav,0\nb.wav\n", r"row 3, column label: empty"),
        ("file_path,emotion_code\n\n,sad\n", r"row 3, column file_path: empty"),
        ("path,label,valence\na.wav,0,high\n", r"row 2, column valence: 'high' is not a number"),
        (
            "path,label,arousal\na.wav,0,1\nb.wav,0,inf\n",
            r"row 3, column arousal: 'inf' is not a finite number",
        ),
        ('path,label,valence\na.wav,0,"3,5"\n', r"row 2, column valence: '3,5' is not a number"),
        (
            "path,label,split\na.wav,0,holdout\n",
            r"row 2, column split: unknown split 'holdout'; use train, val or",
        ),
        (
            "path,label\na.wav,0\nb.wav,1\na.wav,1\n",
            r"rows 2 and 4 contradict .*a\.wav: emotion is '0' and '1'",
        ),
        ("path,label,speaker\na.wav,0,x\na.wav,0,y\n", r"rows 2 and 3 contradict .*speaker is 'x' and 'y'"),
        ("path,label\na,b.wav,0\n", r"row 2: 3 cells under 2 columns; put quotes"),
        ('path,label\n"a.wav,0\n', r"row 2: not readable as CSV"),
        ('path,label\na.wav,0\n"b"c,0\n', r"row 3: not readable as CSV"),
        (b"path,label\na.wav,0\n\xe4.wav,1\n", r"row 3: not utf-8 text; save it as UTF-8"),
        (b"\xff\xfepat", "not utf-16 text"),
        ("path,label,Path\na.wav,0,b.wav\n", "two columns 'path'"),
    ],
)
def test_everything_wrong_is_one_line_with_its_place(folder: Path, text: str | bytes, expected: str) -> None:
    assert re.search(expected, error_of(folder, text))


def test_a_table_that_is_not_there_is_one_line(folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"corpus\.root.*No such file"):
        table.read(folder / "nothing.csv")
    with pytest.raises(CorpusError, match=r"corpus\.root.*[Dd]irectory"):
        table.read(folder)


@pytest.mark.parametrize("name", ["zero\0byte.wav", "x" * 5000 + ".wav", "/", ".", "..", "~/a.wav"])
def test_impossible_paths_are_left_to_be_rejected_later(folder: Path, name: str) -> None:
    (clip,) = table.read(write(folder, f"path,label\n{name},1\n")).clips
    assert clip.clip_id
