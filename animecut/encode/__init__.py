"""Pictures to verified files."""
