"""The command `animecut`, also as `python -m animecut`."""

import os
import signal
from types import FrameType


def main() -> None:
    """Entry point of the command `animecut`."""
    signal.signal(signal.SIGINT, _stop_at_once)
    from animecut.cli import main as command  # takes longer than Python's own start

    command.main()


def _stop_at_once(number: int, frame: FrameType | None) -> None:
    """Ctrl-C until `cli` takes it over: nothing is begun, and an exception amid an import may be mistaken."""
    os.write(2, b"error: stopped before anything was begun\n")
    os._exit(130)  # as cli.py does


if __name__ == "__main__":
    main()
