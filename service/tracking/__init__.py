"""The MLflow view of a sweep: written by the driver alone, from the record."""
