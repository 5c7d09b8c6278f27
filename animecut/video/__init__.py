"""A file becomes drawings with shots."""
