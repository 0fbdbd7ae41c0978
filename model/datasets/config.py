"""Which data a network learns: one frozen dataclass, the keys of `data:` in a sweep file."""

from dataclasses import dataclass, fields

from model.fields import check, integer, real, text

DATASETS = ("digits",)
"""Data sets that can be had by name."""

PLANNED_DATASETS = ("yin_yang", "shd", "ssc", "ntidigits", "smnist", "braille")

FIXED_SPLITS = ("digits",)
"""Data sets that are split into training, validation and test once and for all."""


def name_fault(name: str) -> str | None:
    """What is wrong with a data set's name, or None.

    >>> name_fault("digit")
    'there is no data set `digit`; use one of digits, or a file by `path`'
    """
    if name in DATASETS:
        return None
    fault = f"`{name}` is not available yet" if name in PLANNED_DATASETS else f"there is no data set `{name}`"
    return f"{fault}; use one of {', '.join(DATASETS)}, or a file by `path`"


@dataclass(frozen=True)
class DataConfig:
    """A data set: either a known one by `name` or a file in the SHD layout by `path`.

    Raises ValueError, naming each field and its legal range, if a value is not legal.
    """

    name: str | None = text(optional=True)
    """A known data set."""
    path: str | None = text(optional=True)
    """An HDF5 file of training samples."""
    test: str | None = text(optional=True)
    """An HDF5 file of test samples, beside `path`; None: there is no test."""
    validation: float = real(0.1, above=0, high=0.9)
    """Share of the training samples that are held out for validation, where the data do not fix it."""
    seed: int = integer(0, low=0)
    """Draws the samples that are held out."""

    def __post_init__(self) -> None:
        check(self)
        if (self.name is None) == (self.path is None):
            raise ValueError("DataConfig: give either `name` or `path`, and not both")
        if self.name is not None and (fault := name_fault(self.name)):
            raise ValueError(f"DataConfig: `name`: {fault}")
        if self.name is not None and self.test is not None:
            raise ValueError("DataConfig: `test` goes with `path`; leave it out")
        if self.name in FIXED_SPLITS:
            for field in fields(self):
                if field.name in ("validation", "seed") and getattr(self, field.name) != field.default:
                    raise ValueError(
                        f"DataConfig: `{field.name}` has no meaning for {self.name}, "
                        "whose splits are fixed; leave it out"
                    )
