"""MSP-IMPROV: six sessions of two actors each; improvised around target sentences, labelled by a crowd."""

import re
from collections.abc import Iterator

from pipeline.corpora.by_metadata.listed import ListedCorpus, Told, Tree
from pipeline.corpora.facts import Facts
from pipeline.corpora.tables.table_bytes import read_text
from pipeline.corpora.votes import tally
from pipeline.protocol.emotion_words import COMMON
from pipeline.protocol.fold_sets import FoldSet

LETTERS = {"A": "angry", "H": "happy", "S": "sad", "N": "neutral", "O": "other", "X": ""}  # X: no agreement

_TURN = re.compile(
    r"^UTD-(IMPROV-(S\d+)([AHSN])-([FM])(\d\d)-([PRST])-\w+)\.\w+;\s*(\w)\s*;(.*)$", re.MULTILINE
)
_MEAN = re.compile(r"\b([AVD]):\s*([\d.]+)")
_RATER = re.compile(r"^[^;\n]+;\s*([A-Za-z]+)[^;\n]*;", re.MULTILINE)


def tell(tree: Tree) -> Iterator[Told]:
    """Each turn of Evaluation.txt: its line, and one of each rater below it."""
    text = read_text(tree.find("Evaluation.txt", "Evalution.txt")).replace("\r\n", "\n")
    turns = [*_TURN.finditer(text)]
    for turn, following in zip(turns, [*turns[1:], None], strict=True):
        name, sentence, target, gender, session, _, majority, means = turn.groups()
        below = text[turn.end() : following.start() if following else len(text)]
        raters = [[COMMON.get(word.lower(), word.lower())] for word in _RATER.findall(below)]
        mean = {letter: float(number) for letter, number in _MEAN.findall(means)}
        yield Told(
            f"MSP-{name}",
            {
                **{"speaker": f"{gender}{session}", "gender": "female" if gender == "F" else "male"},
                **{"emotion": LETTERS[majority], "perceived": LETTERS[majority], "intended": LETTERS[target]},
                **{"arousal": mean.get("A"), "valence": mean.get("V"), "dominance": mean.get("D")},
                **{"session": f"session{int(session)}", "sentence": sentence},
                **{"votes": tally(raters), "raters": len(raters) or None},
            },
        )


MSP_IMPROV = ListedCorpus(
    "msp-improv",
    Facts(
        title="MSP-IMPROV",
        paper="Busso et al. 2017, doi:10.1109/TAFFC.2016.2515617",
        languages=("en",),
        licence="academic, after a form",
        link="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Improv.html",
        clips=(8438,),
        speakers=12,
        emotions=tuple(word for word in LETTERS.values() if word),
        standard="perceived",
        layout=("session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav", "Evaluation.txt"),
        slips=("names begin with UTD- in Evaluation.txt and with MSP- in the folder: read as one",),
        fold_sets=(FoldSet.of("by-session", "six sessions", *(f"F0{n} M0{n}" for n in range(1, 7))),),
        parts=tuple(f"session{number}" for number in range(1, 7)),
    ),
    tell,
    form=r"MSP-IMPROV-S\d+\w-[\w-]+",
)
