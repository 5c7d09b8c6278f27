"""How good weights are, and what a run writes down."""
