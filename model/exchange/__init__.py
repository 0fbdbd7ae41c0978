"""Networks as other programs know them: plain arrays, and what others have written."""

from model.exchange.plain import PlainNetwork

__all__ = ["PlainNetwork"]
