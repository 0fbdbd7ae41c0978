"""Files of object stores that are put on a condition, which pyarrow can't do: one module a kind of store."""
