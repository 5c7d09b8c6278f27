"""`python -m animecut`."""

from animecut.cli import main

if __name__ == "__main__":
    main()
