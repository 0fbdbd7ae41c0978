"""Questions asked of trained networks: how they answer, when they spike, what they need."""
