"""Which character, calm in time, soft at the edge."""
