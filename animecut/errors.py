"""What can go wrong. Every message says what happened and what to do.

AnimecutError
├── SettingsError      words on the command line that cannot be meant
├── InputError         a source that cannot be read, or does not go with the words: nothing lies in the range asked for
│   └── NoCharacter    read well, but no character was found in it
├── OutputError        a target that cannot be written
│   └── Unreadable     it was written, but did not read back as it was meant
├── NoRoom             a temporary folder that is full
├── WeightsError       a file that is no network of ours
└── DeviceError        a device that is not there, or has too little memory
"""


class AnimecutError(Exception):
    """Something that a user can mend; its text is one line."""


class SettingsError(AnimecutError):
    """Words on the command line that cannot be meant."""


class InputError(AnimecutError):
    """A source that cannot be read, or does not go with the words, as where nothing lies in the range asked for."""


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
