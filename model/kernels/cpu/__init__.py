"""The spiking kernels for the CPU, compiled by numba."""
