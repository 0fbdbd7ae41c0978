"""The spiking kernels: forward simulation and exact adjoint, by a backend for each kind of device."""
