"""Where delays come from: positions in a space, learned delays, or none."""
