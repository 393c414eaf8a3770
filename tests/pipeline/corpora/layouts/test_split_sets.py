"""Which files are the train, val and test of one fold."""

from pathlib import Path

import pytest

from pipeline.corpora.layouts.split_sets import group_files, split_of


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("emodb_train.csv", "train"),
        ("a/emodb_dev_fold_3.jsonl", "val"),
        ("Test.csv", "test"),
        ("validation-00000-of-00002.parquet", "val"),
        ("train/metadata.csv", "train"),
        ("test/list_train.csv", "train"),
        ("test/a/list.csv", ""),
        ("test_of_mine/list.csv", ""),
        ("train_test.csv", ""),
        ("trained_models.csv", ""),
        ("latest.csv", ""),
        ("emodb.jsonl", ""),
    ],
)
def test_the_split_is_a_word_of_the_name_or_of_the_folder(path: str, split: str) -> None:
    assert split_of(Path(path)) == split


def grouped(*paths: str) -> list[tuple[str, str, dict[str, int]]]:
    sets = group_files(Path("/data") / path for path in paths)
    return [
        (each.corpus, each.fold, {split: len(files) for split, files in each.files.items()}) for each in sets
    ]


def test_folds_and_corpora() -> None:
    assert grouped(
        "cafe/fold_10/cafe_test_fold_10.jsonl",
        "cafe/fold_10/cafe_train_fold_10.jsonl",
        "cafe/fold_2/cafe_train_fold_2.jsonl",
        "cafe/fold_2/cafe_valid_fold_2.jsonl",
        "cafe/fold_2/cafe_test_fold_2.jsonl",
        "cafe/cafe.jsonl",
        "emodb/test.csv",
        "emodb/train.csv",
    ) == [
        ("cafe", "", {"": 1}),
        ("cafe", "2", {"train": 1, "val": 1, "test": 1}),
        ("cafe", "10", {"train": 1, "test": 1}),
        ("emodb", "", {"train": 1, "test": 1}),
    ]


def test_parts_of_a_split_are_one_split_and_so_are_folders() -> None:
    assert grouped(
        "nemo/data/train-00000-of-00002.parquet",
        "nemo/data/train-00001-of-00002.parquet",
        "nemo/data/test-00000-of-00001.parquet",
    ) == [("nemo", "", {"train": 2, "test": 1})]
    assert grouped("mine/train/metadata.csv", "mine/test/metadata.csv") == [
        ("mine", "", {"train": 1, "test": 1})
    ]


def test_two_folders_are_two_sets() -> None:
    assert len(grouped("a/x_train.csv", "b/x_test.csv")) == 2
