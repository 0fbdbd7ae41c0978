"""Sweeps as jobs of a Ray cluster: submitted, watched, stopped and resumed through its dashboard."""
