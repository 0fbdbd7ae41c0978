"""How much of a trained network its function needs: accuracy as synapses are taken out."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.analysis.evaluation import evaluate
from model.border import as_array, kinds_checked
from model.datasets import SpikeDataset
from model.fields import show
from model.network.cohort import Cohort

Order = Literal["magnitude", "length"]
ORDERS: tuple[Order, ...] = get_args(Order)
"""Which synapses go first: the weakest, or the longest."""
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""The shares of the synapses that are taken out, from none to all."""


@kinds_checked
def pruning_curve(
    net: Cohort,
    data: SpikeDataset,
    by: Order,
    shares: Sequence[float] = SHARES,
) -> npt.NDArray[Any]:
    """Accuracy [K, R] on `data` when `shares` [K] of the recurrent synapses are gone.

    Args:
        net: trained networks; they are left as they are.
        data: the samples to be classified.
        by: `magnitude` takes the weakest synapses out first, `length` the longest.
        shares: of the synapses that exist, each from 0 to 1.

    Raises:
        ValueError: if `by` or a share is not legal.
    """
    if by not in ORDERS:
        raise ValueError(f"pruning_curve: `by`: got {by}, expected magnitude or length")
    amounts = as_array(shares, "pruning_curve: `shares`", np.float64)
    if amounts.ndim != 1 or not ((amounts >= 0) & (amounts <= 1)).all():
        raise ValueError(f"pruning_curve: `shares`: got {show(shares)}, expected numbers from 0 to 1")
    with torch.no_grad():
        rank = _rank(net.w_rec.abs() if by == "magnitude" else -net.distances(), net.mask)
    kept = net.mask.clone()
    accuracy = []
    try:
        for share in amounts.tolist():
            gone = rank < (share * kept.sum((1, 2))).round()[:, None, None]
            net.mask.copy_(kept & ~gone)
            accuracy.append(evaluate(net, data).accuracy)
    finally:
        net.mask.copy_(kept)
    return np.array(accuracy)


def _rank(values: Tensor, mask: Tensor) -> Tensor:
    """Rank from 0 of each existing synapse in its network [R, N, N], least value first."""
    order = values.masked_fill(~mask, torch.inf).flatten(1).argsort(dim=1, stable=True)
    return order.argsort(dim=1).view_as(values)
