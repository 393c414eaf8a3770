"""Cells → values."""

from io import StringIO

import pandas as pd
import pytest

from pipeline.corpora.tables.table_cells import clean, known, number, seconds, shortest_integers, visible


def test_everything_that_pandas_takes_for_missing_is_unknown() -> None:
    words = [
        *(
            "#N/A",
            "#N/A N/A",
            "#NA",
            "-1.#IND",
            "-1.#QNAN",
            "-NaN",
            "-nan",
            "1.#IND",
            "1.#QNAN",
            "<NA>",
            "N/A",
        ),
        *("NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    ]
    read = pd.read_csv(StringIO("a,b\n" + "".join(f"{word},x\n" for word in words)))
    assert read["a"].isna().all()
    assert [word for word in words if known(word)] == []
    assert known("nancy") == "nancy"


@pytest.mark.parametrize("character", "\u200b\ufeff\u00ad\u2060\u200e\u200d\x00\x7f")
def test_invisible_characters_are_removed(character: str) -> None:
    assert clean(f"{character}An{character}na{character}") == "Anna"


@pytest.mark.parametrize("space", "\u00a0\u3000\u2009\t\n\u2028\u3164")
def test_every_space_is_one_plain_space(space: str) -> None:
    assert clean(f"{space}Anna {space}B{space}") == "Anna B"


def test_the_unicode_form_is_composed() -> None:
    assert clean("Zoe\u0308") == "Zo\u00eb"
    assert visible("Zoe\u0308\u200b") == "Zoe\u0308"


def test_whole_numbers_have_one_shortest_form() -> None:
    assert shortest_integers(["007", "7", "7.0", "10", "0", ""]) == {
        **dict.fromkeys(("007", "7", "7.0"), "7"),
        "10": "10",
        "0": "0",
    }
    assert shortest_integers(["007", "7a"]) == {}
    assert shortest_integers(["1e3", "1"]) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1.5", 1.5), ("0", 0.0), ("", None), ("NaT", None), ("1e-3", 0.001), ("-2", -2.0)),
        *(("1:02.5", 62.5), ("01:00:00", 3600.0), ("2s", 2.0), ("1.5 sec", 1.5), ("250ms", 0.25)),
        *(("0:00:01.500000", 1.5), ("1 day, 0:00:01", 86_401.0), ("0.1234567", 0.123457)),
    ],
)
def test_times_are_seconds(text: str, value: float | None) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("time", [0.0, 1.5, 0.123456, 3723.25, 90_000.0, -1.5, -90_000.25])
def test_time_deltas_as_pandas_writes_them(time: float) -> None:
    assert seconds(str(pd.Timedelta(seconds=time))) == pytest.approx(time, abs=1e-6)


@pytest.mark.parametrize(
    "text", ["soon", "1,5", "inf", "1:2:3:4", "9" * 400, "9" * 400 + ":00", "1.2.3s", "P1D"]
)
def test_invalid_times_are_errors(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time; give seconds"):
        seconds(text)


def test_decimal_commas() -> None:
    assert number("3,5", decimal_comma=True) == 3.5
    assert seconds("0,25", decimal_comma=True) == 0.25
    for text in ("1,234,5", "1.234,5"):
        with pytest.raises(ValueError, match="is not a number"):
            number(text, decimal_comma=True)
    with pytest.raises(ValueError, match="is not a number"):
        number("3,5")
