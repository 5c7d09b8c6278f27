"""Composed frames and augmentation."""
