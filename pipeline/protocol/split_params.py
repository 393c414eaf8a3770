"""The parameters of the split, and the names of its parts."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
Method = Literal["speaker", "corpus", "one-corpus", "predefined", "random"]
Folds = Annotated[int, Field(ge=2)] | Annotated[str, Field(min_length=1)]


class SplitParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """How clips are divided into train, val and test."""

    method: Method = "speaker"
    """speaker | corpus: one left out | one-corpus: trained on one | predefined | random."""
    folds: Folds = "auto"
    """auto: published, else 5 | a number | loso, session: one left out | a name (`ser corpora`)."""
    fold: Annotated[int, Field(ge=1)] = 1
    """The fold to test on, from 1."""
    val_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the other speakers used for validation, alike to the rest in classes and genders."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the folds and of the choice of validation speakers."""

    @field_validator("folds", mode="before")
    @classmethod
    def _digits_are_a_number(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdecimal() else value
