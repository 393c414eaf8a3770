"""What can go wrong, as one tree. Every message is one line for a person: what, where, what to do.

    SerError
    ├── AudioError        one clip cannot be used; becomes a row in rejects.csv, its neighbours go on
    ├── WeightsError      a denoiser's weights (or package) are missing, damaged or of another network
    ├── ShardError        a feature or waveform shard is damaged or of another format
    ├── ParamsError       params.yaml has an unknown key or a value of the wrong type
    ├── CorpusError       a corpus folder or a user's CSV cannot be understood
    ├── SplitError        a split is impossible, empty, or leaks between train, val and test
    ├── RejectsError      more clips were rejected than params allow
    ├── TrainingError     training cannot start or continue
    ├── CheckpointError   a checkpoint is missing, damaged, or was trained for other data
    └── ProtocolError     two scores do not answer the same question

The command line prints the message of any SerError and exits with code 2.
"""


class SerError(Exception):
    """Base of every error that a user can cause and mend."""


class AudioError(SerError):
    """A clip that cannot be used.

    Args:
        reason: short code for the `reason` column of rejects.csv, such as "missing" or "non-finite".
        detail: one line that names the file and says what was found.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["AudioError"], tuple[str, str]]:
        # Exceptions are rebuilt from `args` when they cross a process boundary; `args` holds only the detail.
        return type(self), (self.reason, self.detail)


class WeightsError(SerError):
    """A denoiser's weights, or its package, are missing; or they are damaged or of another network."""


class ShardError(SerError):
    """A shard is damaged, truncated or of another format version.

    Args:
        found: what is wrong with which shard.
        advice: what to do; empty where `found` says it all.
    """

    def __init__(self, found: str, advice: str = "") -> None:
        super().__init__(f"{found}; {advice}" if advice else found)
        self.found, self.advice = found, advice

    def __reduce__(self) -> tuple[type["ShardError"], tuple[str, str]]:
        return type(self), (self.found, self.advice)


class ParamsError(SerError):
    """params.yaml has an unknown key or a value of the wrong type."""


class CorpusError(SerError):
    """A corpus folder or a user's CSV cannot be understood."""


class SplitError(SerError):
    """A split is impossible, empty, or leaks between train, val and test."""


class RejectsError(SerError):
    """More clips were rejected than `max_reject_fraction` allows."""


class TrainingError(SerError):
    """Training cannot start or continue."""


class CheckpointError(SerError):
    """A checkpoint is missing, damaged, or was trained for other data."""


class ProtocolError(SerError):
    """Two scores do not answer the same question."""
