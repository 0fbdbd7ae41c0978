"""New networks from old ones: of another configuration, with some of the tensors replaced."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from model.moves.step import MoveError
from model.network.cohort import Cohort


def bred(net: Cohort, tensors: Mapping[str, Tensor], **fields: Any) -> Cohort:
    """A cohort with the tensors of `net`, but for `tensors`, and its configuration, but for `fields`.

    Raises MoveError if that is no legal configuration.
    """
    try:
        config = replace(net.config, **fields)
        child = Cohort(
            config, net.n_channels, net.n_classes, net.seeds, dtype=net.w_in.dtype, threads=net.threads
        )
    except (ValueError, TypeError) as error:
        raise MoveError(str(error)) from error
    child.load_state_dict(net.state_dict() | dict(tensors))
    return child
