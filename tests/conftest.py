"""What holds for all tests."""

collect_ignore = ["support", "peers"]
"""They hold no tests. Looked through for some, their modules would be loaded once more, under other names."""
