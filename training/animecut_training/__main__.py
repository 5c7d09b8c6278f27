"""python -m animecut_training: the command `animecut-train`, as torchrun starts it."""

from animecut_training.cli import main

main()
