"""The record of a sweep: its tables, and the log of rows that are not in them yet."""

from service.record.record import Record
from service.record.schema import TABLES, make_schemas

__all__ = ["TABLES", "Record", "make_schemas"]
