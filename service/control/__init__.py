"""What runs next, and what becomes of each trial: decided here alone."""
