"""What a sweep has found: figures, their data and a page, from the sweep's tables and networks."""
