"""Cut anime characters out of clips."""

__version__ = "0.1.0"
