"""Where, how large and when."""
