"""MSP-Podcast: segments of podcasts, labelled by a crowd; official partitions."""

import json
from collections.abc import Iterator

from pipeline.corpora.by_metadata.listed import ListedCorpus, Told, Tree
from pipeline.corpora.facts import Facts
from pipeline.corpora.votes import tally
from pipeline.protocol.emotion_words import COMMON
from pipeline.protocol.fold_sets import FoldSet

LETTERS = {"A": "angry", "S": "sad", "H": "happy", "U": "surprised", "F": "fearful", "D": "disgusted"}
LETTERS |= {"C": "contemptuous", "N": "neutral", "O": "other", "X": ""}  # X: no agreement
PARTITIONS = {"Train": "train", "Development": "val", "Validation": "val", "Test1": "test"}


def tell(tree: Tree) -> Iterator[Told]:
    """Each segment of the training, development and first test partition."""
    detailed = tree.find_or_none("labels_detailed.json")
    workers = json.loads(detailed.read_text(encoding="utf-8")) if detailed else {}
    for row in tree.rows(tree.find("labels_consensus.csv", "labels_concensus.csv")):
        if row.get("Split_Set") not in PARTITIONS:
            continue
        name, emotion = row["FileName"], LETTERS.get(row["EmoClass"], row["EmoClass"])
        raters = [[_word(rater["EmoClass_Major"])] for rater in workers.get(name, {}).values()]
        yield Told(
            name.rsplit(".", 1)[0],
            {
                "speaker": "" if row["SpkrID"].lower() == "unknown" else row["SpkrID"],
                "gender": row["Gender"].lower() if row["Gender"].lower() in {"female", "male"} else "",
                **{"emotion": emotion, "perceived": emotion, "split": PARTITIONS[row["Split_Set"]]},
                **{
                    field: float(row[column]) if row.get(column) else None
                    for field, column in DIMENSIONS.items()
                },
                **{"session": name.split("_")[1] if "_" in name else "", "votes": tally(raters)},
                "raters": len(raters) or None,
            },
        )


DIMENSIONS = {"arousal": "EmoAct", "valence": "EmoVal", "dominance": "EmoDom"}


def _word(text: str) -> str:
    return COMMON.get(text.strip().lower(), text.strip().lower())


MSP_PODCAST = ListedCorpus(
    "msp-podcast",
    Facts(
        title="MSP-Podcast",
        paper="Lotfian and Busso 2019, doi:10.1109/TAFFC.2017.2736999",
        languages=("en",),
        licence="academic, after a form",
        link="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html",
        emotions=tuple(word for word in LETTERS.values() if word),
        standard="perceived",
        layout=("Audios/MSP-PODCAST_0001_0008.wav", "Labels/labels_consensus.csv"),
        slips=(
            "older releases write labels_concensus.csv: read as well",
            "Test2 and Test3 are left out: the first is biased by gender, the labels of the second are hidden",
            "speakers called Unknown are all in Train, so that the split is stamped speaker-dependent",
        ),
        fold_sets=(FoldSet("partition", "MSP-Podcast"),),
    ),
    tell,
    form=r"MSP-PODCAST_\d+_\d+\w*",
)
