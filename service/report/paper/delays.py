"""How long delays are: figures 4B and 6B."""

import numpy as np
import pandas as pd

from service.figures.cloud import Array
from service.figures.delays import draw_delay_strength
from service.figures.networks import draw_delay_histograms
from service.report.exemplars import Exemplar, delay_shares
from service.report.items import Plot
from service.report.paper.sources import CHOSEN, Sources

MOST_BINS = 400
NOTHING = "no networks are kept"


def strength(sources: Sources) -> Plot | str:
    """Figure 4B: synapses times their summed |w|, by delay."""
    if not sources.exemplars:
        return NOTHING
    delays, weights = zip(*(_all_replicates(one) for one in sources.exemplars), strict=True)
    borders = bins(np.concatenate(delays))
    shown, parts = [], []
    for one, delay, weight in zip(sources.exemplars, delays, weights, strict=True):
        count = np.histogram(delay, borders)[0]
        total = np.histogram(delay, borders, weights=weight)[0]
        shown.append((one.title, count * total))
        row = {"trial": one.trial, "from_ms": borders[:-1], "to_ms": borders[1:], "synapses": count}
        parts.append(pd.DataFrame(row | {"strength": total, "product": count * total}))
    caption = (
        f"{CHOSEN}; the synapses of all replicates together. In each bin of {borders[1] - borders[0]:g} "
        "ms, the number of synapses times the sum of their |w|, as published."
    )
    return Plot(draw_delay_strength(shown, borders), pd.concat(parts, ignore_index=True), caption)


def histograms(sources: Sources) -> Plot | str:
    """Figure 6B: the distribution of delays."""
    if not sources.exemplars:
        return NOTHING
    shown = [(one.title, one.delays, one.strength) for one in sources.exemplars]
    caption = f"{CHOSEN}; replicate 0. Dotted: means."
    return Plot(draw_delay_histograms(shown), delay_shares(sources.exemplars), caption)


def bins(delays: Array) -> Array:
    """Borders of bins of 1 ms around all `delays` [E] (ms), or of 2, 4, ... ms lest there be too many."""
    low, high = (0, 1) if not len(delays) else (np.floor(delays.min()), np.floor(delays.max()) + 1)
    width = 2 ** max(0, np.ceil(np.log2((high - low) / MOST_BINS)))
    borders: Array = low + width * np.arange(np.ceil((high - low) / width) + 1)
    return borders


def _all_replicates(one: Exemplar) -> tuple[Array, Array]:
    """Delays (ms) and |w| of the synapses of all replicates, [E] each."""
    mask = one.net.mask.numpy()
    delays, weights = one.net.delays().detach().numpy(), one.net.w_rec.detach().numpy()
    return delays[mask], np.abs(weights[mask].astype(float))
