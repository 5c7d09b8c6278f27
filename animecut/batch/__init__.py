"""Many inputs, each once."""
