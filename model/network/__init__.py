"""A cohort of networks: its parameters, its initial weights, its checkpoints."""
