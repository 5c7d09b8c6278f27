import errno
import os
import pickle

import pytest

from animecut.errors import DeviceError, InputError, reason_of


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (OSError("broken\n data stream"), "broken data stream"),
        (OSError(), "OSError"),
        (MemoryError(), "out of memory"),
    ],
)
def test_what_the_system_stopped_is_told_in_its_own_words(error: Exception, words: str) -> None:
    assert reason_of(error) == words


def test_an_error_names_its_argument_and_value() -> None:
    assert str(InputError("clip.mp4: no such file")) == "clip.mp4: no such file"
    assert str(InputError("too long", field="caption")) == "`caption`: too long"
    assert str(InputError("must be less", field="speed", value=12.50)) == "`speed` 12.5: must be less"
    assert str(InputError("must be more", field="size", value=0)) == "`size` 0: must be more"


def test_an_error_is_the_same_in_another_process() -> None:
    sent = pickle.loads(pickle.dumps(DeviceError("unknown", field="device", value="tpu")))  # noqa: S301 our own
    assert (type(sent), str(sent), sent.field, sent.value) == (DeviceError, "`device` tpu: unknown", "device", "tpu")
