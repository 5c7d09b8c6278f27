"""Labelled frames, in any format."""
