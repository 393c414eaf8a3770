"""MELD: utterances of a television series, labelled by raters who saw the dialogue."""

from collections.abc import Iterator

from pipeline.corpora.by_metadata.listed import ListedCorpus, Told, Tree
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import FoldSet

WORDS = {"anger": "angry", "disgust": "disgusted", "fear": "fearful", "joy": "happy", "neutral": "neutral"}
WORDS |= {"sadness": "sad", "surprise": "surprised"}
SPLITS = {"train": ("train", "train_splits"), "dev": ("val", "dev_splits_complete")}
SPLITS |= {"test": ("test", "output_repeated_splits_test")}


def tell(tree: Tree) -> Iterator[Told]:
    """Each utterance; its numbers start again in each split, so that the folder belongs to its name."""
    for name, (split, folder) in SPLITS.items():
        if (table := tree.find_or_none(f"{name}_sent_emo.csv")) is None:
            continue
        for row in tree.rows(table):
            utterance = f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}"
            final = f"{folder}/final_videos_test{utterance}"
            emotion = WORDS.get(row["Emotion"].lower(), row["Emotion"].lower())
            yield Told(
                final if tree.recording(final) is not None else f"{folder}/{utterance}",
                {
                    **{"speaker": row["Speaker"], "gender": "", "emotion": emotion, "perceived": emotion},
                    **{"split": split, "session": f"{name}-{row['Dialogue_ID']}", "text": row["Utterance"]},
                },
            )


MELD = ListedCorpus(
    "meld",
    Facts(
        title="MELD",
        paper="Poria et al. 2019, doi:10.18653/v1/P19-1050",
        languages=("en",),
        licence="GPL 3.0 for the labels; the sound is of a television series",
        link="https://github.com/declare-lab/MELD",
        clips=(13708, 13706),
        speakers=304,
        emotions=tuple(WORDS.values()),
        standard="perceived",
        layout=("train_splits/dia0_utt0.mp4", "train_sent_emo.csv", "dev_sent_emo.csv", "test_sent_emo.csv"),
        slips=(
            "numbers of dialogues start again in each split: the folder is part of the name",
            "some test files begin with final_videos_test: read as well",
            "a few MP4 are broken: rejected and listed",
            "the official split shares most speakers",
        ),
        fold_sets=(FoldSet("published-speaker-dependent", "MELD"),),
    ),
    tell,
    form=r"(?:final_videos_test)?dia\d+_utt\d+",
)
