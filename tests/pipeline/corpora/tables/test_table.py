"""A user's CSV: both formats, all notations, and one line for each error."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from featurize.errors import CorpusError, SerError
from pipeline.corpora.tables import table
from pipeline.corpora.tables.table_cells import clean

CASES = Path(__file__).resolve().parents[5] / "shared" / "cases" / "tables"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project; the working directory is its root, a table and three recordings lie in lists/."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "b.wav", "c.wav"):
        (tmp_path / "lists").mkdir(exist_ok=True)
        (tmp_path / "lists" / name).write_bytes(b"audio")
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
            "a.wav,happy,Ses01,F,train,4.5,3,first\n"
            "x/b.wav,sad,Ses02,male,dev,,,\n"
            "c.wav,sad,Ses03,,test,nan,-0.5,\n",
        )
    )
    one, two, three = corpus.clips
    assert (one.clip_id, one.corpus, one.emotion) == ("table/a", "table", "happy")
    assert (two.clip_id, two.path) == ("table/x/b", folder / "lists" / "x" / "b.wav")
    assert (one.speaker, one.gender, one.split) == ("Ses01", "female", "train")
    assert (one.valence, one.arousal) == (4.5, 3.0)
    assert (two.gender, two.split, two.valence, two.arousal) == ("male", "val", None, None)
    assert (three.gender, three.split, three.valence, three.arousal) == ("", "test", None, -0.5)
    assert corpus.emotions == ()


def test_the_simple_format(folder: Path) -> None:
    clips = table.read(write(folder, "path,label\n/x/audio1.wav,0\n/x/audio2.wav,1\na.wav,1\n")).clips[:2]
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
    assert "gender of 1 row left empty (row 2: 'diverse')" in caplog.text


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
        ("path,mood\na.wav,sad\n", r"no column 'emotion_code' or 'label'; it has path, mood"),
        ("path,label\na.wav,\nb.wav,nan\n", r"no row has a label in column label \(first: row 2, ''\)"),
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
        ("path,label,start\na.wav,0,soon\n", r"row 2, column start: 'soon' is not a time"),
        ("path,label\nx.wav,0\n", r"none of its paths \(1\) exists.*lists/x\.wav"),
        ("path,label,Path\na.wav,0,b.wav\n", "two columns 'path'"),
    ],
)
def test_errors_name_row_and_column(folder: Path, text: str | bytes, expected: str) -> None:
    assert re.search(expected, error_of(folder, text))


def test_a_missing_table_is_an_error(folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"corpus\.root.*does not exist"):
        table.read(folder / "nothing.csv")
    with pytest.raises(CorpusError, match=r"corpus\.root.*is a folder"):
        table.read(folder)


@pytest.mark.parametrize(
    "name", ["zero\0byte.wav", "x" * 5000 + ".wav", "/", ".", "..", "~/a.wav", "~nobody"]
)
def test_impossible_paths_are_kept_and_rejected_later(folder: Path, name: str) -> None:
    clip, _ = table.read(write(folder, f"path,label\n{name},1\nb.wav,0\n")).clips
    assert clip.clip_id


@pytest.mark.parametrize(
    "word", ["", "nan", "NaN", "NA", "N/A", "None", "null", "<NA>", "#N/A", "-", " \u200b"]
)
def test_missing_values_are_recognised_in_every_column(
    folder: Path, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    header = "path,label,speaker,gender,sentence,split,valence,arousal,start,end\n"
    text = f"{header}a.wav,sad{f',{word}' * 8}\nb.wav,{word},x,f,1,val,1,1,0,1\nc.wav,sad,y,,,,,,,\n"
    unknown, known = table.read(write(folder, text)).clips
    assert unknown == replace(known, clip_id="table/a", path=unknown.path, speaker="")
    assert known.speaker == "y"
    assert "skipped: 1 of 3 rows, without a label (first: row 3" in caplog.text
    if clean(word):
        assert f"read as unknown: speaker {word!r} (1 row)" in caplog.text


def test_a_row_with_votes_alone_is_a_clip_without_a_majority(folder: Path) -> None:
    text = "path,label,votes\na.wav,sad,sad:2\nb.wav,,sad:1; angry:1\nc.wav,,\n"
    clips = table.read(write(folder, text)).clips
    assert [(clip.emotion, clip.votes) for clip in clips] == [
        ("sad", {"sad": 2.0}),
        ("", {"sad": 1.0, "angry": 1.0}),
    ]


def speakers_of(folder: Path, *names: str) -> list[str]:
    recordings = ("a.wav", "b.wav", "c.wav")
    rows = "".join(f"{path},sad,{name}\n" for path, name in zip(recordings, names, strict=False))
    return [clip.speaker for clip in table.read(write(folder, f"path,label,speaker\n{rows}")).clips]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (("3", "3.0", "03"), ["3", "3", "3"]),
        (("10", "nan", "10.0"), ["10", "", "10"]),
        (("0", "00", "0.0"), ["0", "0", "0"]),
        (("1" * 5000, "2", "3"), ["1" * 5000, "2", "3"]),
        (("3", "03", "Anna"), ["3", "03", "Anna"]),
        (("3.5", "3", "03"), ["3.5", "3", "03"]),
        (("Anna", "Anna\u200b", "\ufeffAn\u00adna\u00a0"), ["Anna", "Anna", "Anna"]),
        (("Zo\u00eb B", "Zoe\u0308 B", "Zo\u00eb\u00a0 B"), ["Zo\u00eb B"] * 3),
        (("Anna", "anna", "ANNA"), ["Anna", "anna", "ANNA"]),
        (("unknown", "", "Unk"), ["", "", ""]),
    ],
)
def test_spellings_of_a_speaker_are_merged_only_if_unambiguous(
    folder: Path, written: tuple[str, ...], read: list[str]
) -> None:
    assert speakers_of(folder, *written) == read


def test_merged_spellings_of_speakers_are_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    speakers_of(folder, "3", "03", "8")
    assert "'03' and '3' as 3" in caplog.text
    assert "8" not in caplog.text.split("read as one")[1]


def test_spellings_of_a_label_are_one_class(folder: Path) -> None:
    text = "path,label\na.wav,fro\u0301h\nb.wav,\u200bfr\u00f3h\u00a0\nc.wav,FR\u00d3H\n"
    clips = table.read(write(folder, text)).clips
    assert [clip.emotion for clip in clips] == ["fr\u00f3h", "fr\u00f3h", "FR\u00d3H"]
    assert table.read(write(folder, "path,label\na.wav,Sad\na.wav,sad\n")).clips[0].emotion == "Sad"


def test_rows_that_begin_with_a_hash_are_comments_unless_there_is_such_a_file(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "lists" / "#1.wav").write_bytes(b"audio")
    clips = table.read(write(folder, "path,label\n#a.wav,0\n#1.wav,0\nb.wav,1\n# the end\n")).clips
    assert [clip.path.name for clip in clips] == ["#1.wav", "b.wav"]
    assert "skipped: 2 rows with # in front (first: row 2)" in caplog.text


def spans_of(folder: Path, text: str) -> list[tuple[str, float | None, float | None]]:
    clips = table.read(write(folder, text)).clips
    return [(clip.clip_id.removeprefix("table/"), clip.start_s, clip.end_s) for clip in clips]


def test_rows_with_times_are_parts_of_files(folder: Path) -> None:
    text = (
        "file,start,end,emotion\n"
        "a.wav,1.5,3.2,sad\n"
        "b.wav,0 days 00:00:00,NaT,sad\n"
        "a.wav,0 days 00:00:00.250000,0 days 00:01:01.123456,happy\n"
        "b.wav,1,,happy\n"
        "./a.wav,1.50,3.20,sad\n"
    )
    assert spans_of(folder, text) == [
        ("a@0.25-61.123456", 0.25, 61.123456),
        ("a@1.50-3.20", 1.5, 3.2),
        ("b", None, None),
        ("b@1.00-end", 1.0, None),
    ]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("start,end", "0.5,2"),
        ("start_ms,end_ms", "500,2000"),
        ("start_time,duration", "0.5,1.5"),
        ("begin,stop", "500ms,0:02"),
    ],
)
def test_times_of_other_tools(folder: Path, header: str, cells: str) -> None:
    assert spans_of(folder, f"path,label,{header}\na.wav,0,{cells}\n") == [("a@0.50-2.00", 0.5, 2.0)]


def test_a_duration_without_a_start_is_ignored(folder: Path) -> None:
    assert spans_of(folder, "path,label,duration\na.wav,0,1.5\n") == [("a", None, None)]


def test_a_part_in_two_rows_that_contradict_each_other_is_an_error(folder: Path) -> None:
    text = "path,label,start,end\na.wav,0,0,1\na.wav,1,1,2\na.wav,1,0,1\n"
    assert "rows 2 and 4 contradict" in error_of(folder, text)


def test_a_split_column_with_other_values_is_ignored(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    clips = table.read(write(folder, "path,label,subset\na.wav,0,studio\nb.wav,1,train\n")).clips
    assert [clip.split for clip in clips] == ["", ""]
    assert "column subset is not read as the split (row 2: 'studio')" in caplog.text
    clips = table.read(write(folder, "path,label,Partition\na.wav,0,Devel\nb.wav,1,TRAIN\n")).clips
    assert [clip.split for clip in clips] == ["val", "train"]


PIECES = (
    [
        "path,label",
        "\n",
        "\r\n",
        ",",
        ";",
        '"',
        "sep=;",
        "#",
        "file|emo|start|end",
        "a.wav",
        "\xff\xfe",
        "\x1f\x8b",
    ],
    [
        "\ufeff",
        "PK\x03\x04",
        "nan",
        "1e999",
        "|",
        "~",
        "-1",
        "0 days 9999999999999:00:00",
        "$A",
        "\\",
        "C:\\",
    ],
    [
        "file://",
        "s3://b/",
        "\0",
        "sad",
        "a.wav",
        "lists/b.wav",
        "~/x",
        "1",
        "0x1",
        "1_0",
        "\u0663",
        "\ud7ff",
        "ms",
    ],
)
CELLS = st.sampled_from([piece for pieces in PIECES for piece in pieces]) | st.text(max_size=12)
HEADER = "file,emotion,speaker,gender,text,subset,start,end,valence\na.wav,sad,1,f,x,train,0,1,2\n"
TABLES = st.one_of(
    st.binary(max_size=300),
    st.lists(CELLS, max_size=40).map("".join).map(str.encode),
    st.lists(CELLS, max_size=40).map("".join).map(lambda text: text.encode("utf-16-le")),
    st.lists(st.lists(CELLS, min_size=2, max_size=9).map(",".join), max_size=5).map(
        lambda rows: (HEADER + "\n".join(rows)).encode()
    ),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TABLES)
def test_any_bytes_give_a_corpus_or_one_line(folder: Path, data: bytes) -> None:
    path = write(folder, data)
    for root in (None, folder / "lists"):
        try:
            corpus = table.read(path, root)
        except SerError as error:
            assert "\n" not in str(error)
        else:
            assert corpus.clips
            assert len({clip.clip_id for clip in corpus.clips}) == len(corpus.clips)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.csv")), ids=lambda path: path.stem)
def test_shared_cases_of_tables(path: Path) -> None:
    if path.stem in {"basename", "tilde", "envvar"}:
        clips = table.read(path, CASES / "clips").clips
    else:
        clips = table.read(path).clips
    assert len(clips) == {"segments_same": 32, "nan_class_all": 12, "num_nan_native": 15}.get(path.stem, 16)
    assert all(clip.path.is_file() for clip in clips)
    assert len({clip.emotion for clip in clips}) == (3 if path.stem == "nan_class_all" else 4)
    people = {clip.speaker for clip in clips if clip.speaker}
    assert len(people) == (2 if path.stem in {"tess2", "two_speakers"} else 4)
