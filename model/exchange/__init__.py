"""Networks as other programs know them: plain arrays, and what others have written."""

from model.exchange.arrays import ForeignError
from model.exchange.paper import Published, read_checkpoint
from model.exchange.plain import PlainNetwork
from model.exchange.start import Start, begin_with, read_start, start_fault

__all__ = [
    "ForeignError",
    "PlainNetwork",
    "Published",
    "Start",
    "begin_with",
    "read_checkpoint",
    "read_start",
    "start_fault",
]
