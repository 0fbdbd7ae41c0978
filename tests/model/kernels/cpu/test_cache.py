"""A process that compiles the kernels finds the same numbers as one that reads them from the cache."""

import os
import subprocess
import sys
from pathlib import Path

DIGEST = """
import hashlib
import numpy as np
import torch
from model import Cohort, LearnerConfig, SpikeDataset
from model.augmentation import Augmentation, augment

draw = np.random.default_rng(0)
events = [
    (np.sort(draw.uniform(0, 90, n)).astype(np.float32), draw.integers(0, 12, n))
    for n in draw.integers(1, 60, 400)
]
data = SpikeDataset.from_events(events, draw.integers(0, 3, 400), 12, 3)
changes = Augmentation(shift=1, warp=2, blend=0.3, stretch=0.2, jitter=3.0, drop=0.1)
times, channels = augment(data, np.arange(400), np.arange(400), changes)
config = LearnerConfig(hidden=13, duration=100.0, delay_scale=9.0, initial_rate=5.0)
net = Cohort(config, 12, 3, [0])
with torch.no_grad():
    net.w_in.abs_().mul_(20)
out = net(data, np.arange(400)[None])
loss = torch.nn.functional.cross_entropy(out.logits[0], torch.from_numpy(data.labels))
loss.backward()
assert out.counts.mean() > 1, out.counts.mean()
found = [times.flat, channels.flat, out.features.detach(), *(p.grad for p in net.parameters())]
print(hashlib.sha256(b"".join(np.asarray(one).tobytes() for one in found)).hexdigest())
"""


def digest(cache: Path) -> str:
    """That of what a new process finds by augmentation, forwards and backwards."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_compiling_and_reading_the_cache_give_the_same_numbers_bit_for_bit(tmp_path: Path) -> None:
    compiled = digest(tmp_path)
    assert compiled and list(tmp_path.rglob("*.nbc"))
    assert digest(tmp_path) == compiled
