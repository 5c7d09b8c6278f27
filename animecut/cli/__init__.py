"""The command lines; the only package that prints and exits."""
