"""Emozionalmente: 431 Italian amateurs, 18 sentences, seven emotions."""

from collections.abc import Iterator

from pipeline.corpora.by_metadata.listed import ListedCorpus, Told, Tree
from pipeline.corpora.facts import Facts

WORDS = {"anger": "angry", "disgust": "disgusted", "fear": "fearful", "joy": "happy", "neutrality": "neutral"}
WORDS |= {"neutral": "neutral", "sadness": "sad", "surprise": "surprised"}
GENDERS = {"f": "female", "female": "female", "m": "male", "male": "male"}


def tell(tree: Tree) -> Iterator[Told]:
    """Each row of samples.csv, with its actor's of users.csv."""
    people = {row["username"]: row for row in tree.rows(tree.find("users.csv"))}
    for row in tree.rows(tree.find("samples.csv")):
        person, emotion = people.get(row["actor"], {}), row["emotion_expressed"].lower()
        yield Told(
            row["file_name"].rsplit(".", 1)[0],
            {
                **{"speaker": row["actor"], "gender": GENDERS.get(person.get("gender", "").lower(), "")},
                **{"age": person.get("age", ""), "sentence": row["sentence"], "text": row["sentence"]},
                **{"emotion": WORDS.get(emotion, emotion), "intended": WORDS.get(emotion, emotion)},
            },
        )


EMOZIONALMENTE = ListedCorpus(
    "emozionalmente",
    Facts(
        title="Emozionalmente",
        paper="Catania et al. 2025, doi:10.1109/TASLPRO.2025.3540662",
        languages=("it",),
        licence="see its page",
        link="https://doi.org/10.5281/zenodo.6569824",
        clips=(6902,),
        speakers=431,
        emotions=tuple(dict.fromkeys(WORDS.values())),
        standard="intended",
        layout=("audio/1621610600130.wav", "metadata/samples.csv", "metadata/users.csv"),
        slips=("there are official splits since February 2025; they are not read",),
    ),
    tell,
    form=r"audio/\d{9,}",
)
