"""Dale's law: the weights of a neuron onto others have one sign."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.border import kinds_checked
from model.layers import Layers


@kinds_checked
def kinds_of(layers: Layers, excitatory: float) -> npt.NDArray[np.bool_]:
    """Which neurons are excitatory [N]: of each layer the first ones, as near to that share as can be."""
    if not 0 <= excitatory <= 1:
        raise ValueError(f"kinds_of: `excitatory`: got {excitatory:g}, expected a share from 0 to 1")
    found = np.zeros(layers.neurons, bool)
    for own in layers.members:
        found[own.start : own.start + round(excitatory * (own.stop - own.start))] = True
    return found


@kinds_checked
def signed(weights: np.ndarray, excitatory: np.ndarray) -> np.ndarray:
    """Weights [N, N] of the same sizes with the signs of their presynaptic neurons `excitatory` [N] (bool).

    Excitation and inhibition are balanced: with E neurons of one kind and I of the other, the weights of
    excitatory ones are scaled by sqrt(I / E), those of inhibitory ones by sqrt(E / I). So their means cancel
    each other, and the mean square of all is what it was. Source: Song, Yang & Wang 2016, PLoS Computational
    Biology 12 (2), e1004792, where the balance is the same.
    """
    if excitatory.dtype != bool or weights.shape != 2 * excitatory.shape:
        raise ValueError("signed: `weights` must be [N, N], and `excitatory` [N] of true and false")
    e, i = int(excitatory.sum()), int((~excitatory).sum())
    up, down = (np.sqrt(i / e), np.sqrt(e / i)) if e and i else (1.0, 1.0)
    found: np.ndarray = np.abs(weights) * np.where(excitatory, up, -down)[:, None]
    return found


@kinds_checked
@torch.no_grad()
def keep_signs(w_rec: Tensor, excitatory: Tensor) -> None:
    """Set the weights `w_rec` [R, N, N] to 0 that have not the sign of their neuron, `excitatory` [R, N]."""
    if excitatory.dtype != torch.bool or w_rec.shape != (*excitatory.shape, *excitatory.shape[1:]):
        raise ValueError("keep_signs: `w_rec` must be [R, N, N], and `excitatory` [R, N] of true and false")
    w_rec.copy_(torch.where(excitatory[..., None], w_rec.clamp(min=0), w_rec.clamp(max=0)))
