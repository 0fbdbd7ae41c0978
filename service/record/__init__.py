"""The record of a sweep: its tables, the log of rows that are not in them yet, and the plan."""
