"""The best file under a limit."""
