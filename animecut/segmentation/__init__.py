"""RGB to coarse alpha; the only door of the inference runtimes."""
