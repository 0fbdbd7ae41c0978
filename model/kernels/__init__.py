"""The spiking kernels: forward simulation and exact adjoint, for the CPU."""

from model.kernels.cpu.events import Events, gather
from model.kernels.simulate import simulate

__all__ = ["Events", "gather", "simulate"]
