"""Training of a cohort: an epoch at a time, by exact gradients and the costs of wiring and of spikes."""
