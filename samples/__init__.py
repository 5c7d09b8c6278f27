"""Clips that we drew ourselves, with the script that draws them and their exact alpha."""
