"""nEMO: nine Polish actors, six emotions."""

from collections.abc import Iterator

from pipeline.corpora.by_metadata.listed import ListedCorpus, Told, Tree
from pipeline.corpora.facts import Facts

WORDS = {"anger": "angry", "fear": "fearful", "happiness": "happy", "neutral": "neutral", "sadness": "sad"}
WORDS |= {"surprise": "surprised"}


def tell(tree: Tree) -> Iterator[Told]:
    """Each row of data.tsv."""
    for row in tree.rows(tree.find("data.tsv"), "\t"):
        emotion = WORDS.get(row["emotion"], row["emotion"])
        yield Told(
            row["file_id"].removesuffix(".wav"),
            {
                **{"speaker": row["speaker_id"], "gender": row["gender"], "age": row["age"]},
                **{
                    "emotion": emotion,
                    "intended": emotion,
                    "text": row["raw_text"],
                    "sentence": row["normalized_text"],
                },
            },
        )


NEMO = ListedCorpus(
    "nemo",
    Facts(
        title="nEMO",
        paper="Christop 2024, arXiv:2404.06292",
        languages=("pl",),
        licence="CC BY-NC-SA 4.0",
        link="https://github.com/amu-cai/nEMO",
        clips=(4481,),
        speakers=9,
        emotions=tuple(WORDS.values()),
        standard="intended",
        layout=("samples/SB0_anger_01.wav", "data.tsv"),
    ),
    tell,
    form=r"[A-Z0-9]{3}_[a-z]+_\d+",
)
