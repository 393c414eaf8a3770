"""One clip, two clips."""

from featurize.errors import counted


def test_one_is_one_and_others_are_several() -> None:
    assert [counted(number, "clip") for number in (0, 1, 2, 1000)] == [
        "0 clips",
        "1 clip",
        "2 clips",
        "1000 clips",
    ]
    assert counted(1, "class", "classes") == "1 class"
    assert counted(0, "class", "classes") == "0 classes"
