"""Where trials run: on Ray Tune, here or on a cluster."""
