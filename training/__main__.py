"""python -m training: the command `animecut-train`, as torchrun starts it."""

from training.cli import main

main()
