"""Benchmarks. animecut comes first: it tells numpy how many threads to use, which must be before numpy is there."""

import animecut  # noqa: F401
