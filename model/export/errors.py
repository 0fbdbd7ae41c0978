"""What can go wrong in an export."""


class ExportError(ValueError):
    """A network that a format cannot hold, or a folder that cannot be written; the text has the cure."""
