"""Torch's own threads, which are in the way where its operations are small and many."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Have torch work on one thread meanwhile; the threads of the kernels are not among torch's.

    Between operations its threads wait by spinning. Those of a network of some hundred neurons are so short
    that they would do little else: training took up to ten times the processor time. Sums, and so trained
    networks, do not depend on the number of cores either. It is a setting of the whole process: of two Python
    threads that train at once, the last may leave torch with one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
