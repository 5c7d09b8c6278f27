"""What a run begins with, and what becomes of its weights."""
