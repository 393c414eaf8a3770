"""Classes that a split lacks, and folds that have all of them."""

from pipeline.protocol.class_coverage import describe_missing, find_better_fold, find_missing

MANY = {"a": 9, "b": 9}


def test_missing_classes_are_described_test_split_first() -> None:
    labels, splits = ["a", "b", "c", "a", "b", "a"], ["train", "train", "train", "val", "val", "test"]
    missing = find_missing(labels, splits)
    assert missing == {"val": ["c"], "test": ["b", "c"]}
    assert describe_missing(missing) == "no clip of b, c in test, of c in val"
    assert find_missing(labels[:2] * 3, splits[:1] * 2 + ["val"] * 2 + ["test"] * 2) == {}


def test_a_fold_of_the_current_ones_is_named_before_another_number() -> None:
    advice = find_better_fold(
        MANY, 5, lambda number, fold: number is None and fold in (2, 4, 5), unit="speaker"
    )
    assert advice.endswith("split.fold=2 (or 4, 5)")
    advice = find_better_fold(MANY, 5, lambda number, fold: number in (3, 4) and fold == 1, unit="speaker")
    assert advice.endswith("split.folds=4 split.fold=1")
    advice = find_better_fold(MANY, 5, lambda number, fold: False, unit="speaker")
    assert "no fold" in advice
    assert "split.fold=" not in advice


def test_the_folds_of_a_large_loso_are_not_tried_one_by_one() -> None:
    tried = []

    def has_all(number: int | None, fold: int) -> bool:
        tried.append(number)
        return number == 10

    assert "split.folds=10" in find_better_fold(MANY, 1000, has_all, unit="speaker")
    assert None not in tried
    assert len(tried) == 10


def test_a_rare_class_is_named_and_nothing_is_tried() -> None:
    def never(number: int | None, fold: int) -> bool:
        raise AssertionError("tried")

    advice = find_better_fold({"a": 9, "b": 2}, 5, never, unit="speaker")
    assert "three speakers" in advice
    assert "b has 2" in advice
