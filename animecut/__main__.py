"""`python -m animecut`."""

from animecut.cli import main

main()
