"""What holds for all tests."""

collect_ignore = ["support"]
"""It holds no tests. Looked through for some, its modules would be loaded once more, under other names."""
