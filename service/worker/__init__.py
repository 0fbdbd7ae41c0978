"""What runs in a worker: a trial, and the rows that it reports."""
