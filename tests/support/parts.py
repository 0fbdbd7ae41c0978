"""Parts of kernels, which only compiled code can call, as kernels of their own."""

from typing import Any

from numba import njit

from model.kernels.cpu.compile import OPTIONS


def alone(part: Any) -> Any:
    """A kernel that does what `part` does, and nothing else."""
    inner = part

    @njit(**OPTIONS | {"cache": False})  # type: ignore[untyped-decorator]
    def kernel(*values: Any) -> Any:
        return inner(*values)

    return kernel
