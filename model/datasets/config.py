"""Which data a network learns: one frozen dataclass, the keys of `data:` in a sweep file."""

from dataclasses import fields
from typing import Annotated, Literal, get_args

from pydantic import Field, WithJsonSchema
from pydantic.dataclasses import dataclass

from model.fields import STRICT, RealOnly, Text, faults_in_words

TimeUnit = Literal["s", "ms", "us"]
TIME_UNITS: tuple[TimeUnit, ...] = get_args(TimeUnit)

DATASETS = (
    "digits",
    "yin_yang",
    "spoken_digits",
    "shd",
    "ssc",
    "ntidigits",
    "smnist",
    "braille",
    "two_digits",
)
"""Data sets that can be had by name."""

FIXED_SPLITS = ("digits", "yin_yang", "spoken_digits", "ssc", "braille", "two_digits")
"""Data sets that are split into training, validation and test once and for all, unless made of a file."""

MADE_OF_FILES = ("two_digits",)
"""Data sets that are made of the samples of a file where `path` is given beside the name."""

GROUPED = ("shd", "ntidigits")
"""Data sets with speakers whose training samples are yet to be split."""

KINDS = 4
"""Classes of each of the two digits of `two_digits`."""


def name_fault(name: str) -> str | None:
    """What is wrong with a data set's name, or None.

    >>> name_fault("digit")[:37]
    'there is no data set `digit`; use one'
    """
    if name in DATASETS:
        return None
    return f"there is no data set `{name}`; use one of {', '.join(DATASETS)}, or a file by `path`"


@faults_in_words
@dataclass(frozen=True, config=STRICT)
class DataConfig:
    """A data set: either a known one by `name` or a file in the SHD layout by `path`.

    `two_digits` may have both: it is made of the file's samples then, else of `digits`.

    Validation samples are taken from training where the data do not fix them: the share `validation` of
    every class, or the group `validation_group` as a whole. With neither, where there are 3 groups (speakers)
    or more it is one of them, so that validation, like the test, hears a voice that training has not heard;
    where there are fewer it is a share of 0.1. A share of 0 holds nothing out: all samples train, and nothing
    may go by validation. What is not told is drawn by `seed`.

    Raises ValueError, naming each field and its legal range, if a value is not legal.
    """

    name: Annotated[Text, WithJsonSchema({"type": "string", "enum": list(DATASETS)})] | None = None
    """A known data set."""
    path: Text | None = None
    """An HDF5 file of training samples."""
    test: Text | None = None
    """An HDF5 file of test samples, beside `path`; None: there is no test."""
    validation: Annotated[float, Field(ge=0, le=0.9), RealOnly] | None = None
    """Share of the training samples that are held out for validation; 0: none are."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Draws the samples, or the group, held out."""
    validation_group: int | None = None
    """The group (for speech: the speaker) that is held out."""
    time_unit: TimeUnit | None = None
    """The unit of times in `path` and `test`: s, ms or us (microseconds). None: seconds, as in SHD, unless
    the samples would be so long or so short that this can hardly be."""

    def __post_init__(self) -> None:
        both = self.path is not None and self.name in MADE_OF_FILES
        if (self.name is None) == (self.path is None) and not both:
            raise ValueError("DataConfig: give either `name` or `path`, and not both")
        if self.name is not None and (fault := name_fault(self.name)):
            raise ValueError(f"DataConfig: `name`: {fault}")
        if self.path is None and self.test is not None:
            raise ValueError("DataConfig: `test` goes with `path`; leave it out")
        if self.path is None and self.time_unit is not None:
            raise ValueError("DataConfig: `time_unit` goes with `path`; leave it out")
        self._check_validation()

    @property
    def is_split(self) -> bool:
        """Whether the data are split once and for all."""
        return self.name in FIXED_SPLITS and self.path is None

    @property
    def parts(self) -> tuple[int, ...]:
        """Classes of each part of a sample, where it has several; the label counts the last part fastest."""
        return (KINDS, KINDS) if self.name == "two_digits" else ()

    def _check_validation(self) -> None:
        defaults = {field.name: field.default for field in fields(self)}
        given = [
            name
            for name in ("validation", "seed", "validation_group")
            if getattr(self, name) != defaults[name]
        ]
        if self.is_split and given:
            reason = f"has no meaning for {self.name}, whose splits are fixed"
        elif self.validation_group is not None and given != ["validation_group"]:
            reason = "has no meaning beside `validation_group`, which is held out as a whole"
        elif self.validation_group is not None and self.path is None and self.name not in GROUPED:
            reason = f"has no meaning for {self.name}, which has no groups"
        else:
            return
        raise ValueError(f"DataConfig: `{given[0]}` {reason}; leave it out")
