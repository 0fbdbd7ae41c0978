"""Files that are whole or absent, in a folder or on an object store, and one driver a sweep."""
