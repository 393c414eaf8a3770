"""RESD: acted Russian dialogues; nothing tells the speakers."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from pipeline.corpora.by_metadata.listed import ListedCorpus, Told, Tree
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import FoldSet

WORDS = {
    "anger": "angry",
    "disgust": "disgusted",
    "enthusiasm": "excited",
    "fear": "fearful",
    "happiness": "happy",
}
WORDS |= {"neutral": "neutral", "sadness": "sad"}


def tell(tree: Tree) -> Iterator[Told]:
    """Each row of train.csv and test.csv."""
    for split in ("train", "test"):
        for row in tree.rows(tree.find(f"{split}.csv")):
            path = PurePosixPath(row["path"])
            emotion = WORDS.get(row["emotion"], row["emotion"])
            yield Told(
                f"{path.parent.name}/{path.stem}",
                {
                    **{"speaker": "", "gender": "", "emotion": emotion, "intended": emotion, "split": split},
                    **{"session": path.parent.name, "text": row.get("text", "")},
                },
            )


RESD = ListedCorpus(
    "resd",
    Facts(
        title="RESD",
        paper="Aniemore, Russian Emotional Speech Dialogs",
        languages=("ru",),
        licence="MIT",
        link="https://huggingface.co/datasets/Aniemore/resd",
        emotions=tuple(WORDS.values()),
        standard="intended",
        layout=("train/happiness_anger_01/01_happiness_anger_a_010.wav", "train.csv", "test.csv"),
        slips=("nothing tells the speakers, and the published split shares all 50 dialogues",),
        hints=("split.folds=published-speaker-dependent",),
        fold_sets=(FoldSet("published-speaker-dependent", "RESD"),),
    ),
    tell,
    form=r"\d+_[a-z]+_[a-z]+_[a-z]_\d+",
)
