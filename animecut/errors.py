"""What can go wrong. Every message says what happened and what to do.

AnimecutError
├── SettingsError      a value that cannot be meant, or that does not go with the others
├── InputError         a source that cannot be read, or does not go with the settings: nothing lies in the range
│   └── NoCharacter    read well, but no character was found in it
├── OutputError        a target that cannot be written
│   └── Unreadable     it was written, but did not read back as it was meant
├── NoRoom             a temporary folder that is full
├── WeightsError       a file that is no network of ours
└── DeviceError        a device that is not there, or has too little memory
"""


class AnimecutError(Exception):
    """Something that a user can mend; its text is one line.

    field: the argument that the text is about and begins with; "" where it is about something else, such as a file.
    value: what was given for it, where the text shows it.

    Arguments stand between backticks, as Settings and `animecut.cut` name them. The command line writes flags instead.
    """

    def __init__(self, message: str, *, field: str = "", value: object = None) -> None:
        super().__init__(message)
        self.field, self.value = field, value

    def __str__(self) -> str:
        message = super().__str__()
        if not self.field:
            return message
        value = f"{self.value:g}" if isinstance(self.value, float) else "" if self.value is None else str(self.value)
        return f"`{self.field}`{' ' if value else ''}{value}: {message}"


class SettingsError(AnimecutError):
    """A value that cannot be meant, or that does not go with the others."""


class InputError(AnimecutError):
    """A source that cannot be read, or does not go with the settings, as where nothing lies in the range asked for."""


class NoCharacter(InputError):
    """The source was read, but no character was found in it."""


class OutputError(AnimecutError):
    """A target that cannot be written."""


class Unreadable(OutputError):
    """A target that was written, but did not read back as it was meant."""


class NoRoom(AnimecutError):
    """A temporary folder that is full: whatever is being written, it is not that file's fault."""


class WeightsError(AnimecutError):
    """A file that is no network of ours."""


class DeviceError(AnimecutError):
    """A device that is not there, or has too little memory."""


def reason_of(error: BaseException) -> str:
    """Why the system stopped something, in one line: its own words, else the error's, else the error's name."""
    if isinstance(error, MemoryError):
        return "out of memory"
    words = getattr(error, "strerror", None) or str(error)
    return " ".join(str(words).split()) or type(error).__name__
