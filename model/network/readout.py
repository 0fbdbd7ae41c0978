"""From what the readout hears of each neuron to the classes' logits."""

from torch import Tensor


def split_windows(features: Tensor, windows: int) -> list[Tensor]:
    """Features [R, B, W N], as the kernels give them, as one tensor [R, B, N] a window."""
    return [features] if windows == 1 else list(features.chunk(windows, -1))


def read_out(by_window: list[Tensor], w_out: Tensor) -> Tensor:
    """Logits [R, B, O] without biases, of what is heard in each of W windows [R, B, K].

    Weights `w_out` are [R, K, W O]: those of one window after the other.
    """
    parts = [heard @ own for heard, own in zip(by_window, w_out.chunk(len(by_window), -1), strict=True)]
    return sum(parts[1:], start=parts[0])
