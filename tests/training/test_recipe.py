import inspect
from dataclasses import fields

import pytest
from animecut_training import cli
from animecut_training.options import FLAGS, in_flags
from animecut_training.recipe import Job, Recipe

from animecut.errors import SettingsError

NAMES = {"batch_size": "batch", "split": "split_file"}  # of the command's parameters, where the field's is another


@pytest.mark.parametrize("command", [cli.fit, cli.compare])
def test_a_commands_defaults_are_the_recipes(command: object) -> None:
    assert callable(command)
    defaults = {field.name: field.default for settings in (Job, Recipe) for field in fields(settings)}
    words = {NAMES.get(name, name): word.default for name, word in inspect.signature(command).parameters.items()}
    own = {"out", "folder", "sprites"} | ({"init"} if command is cli.compare else set())
    shared = set(words) & set(defaults) - own
    assert {"steps", "batch", "seed", "device", "resume"} <= shared
    assert {name: words[name] for name in shared} == {name: defaults[name] for name in shared}


def test_a_share_is_between_0_and_1_and_messages_name_flags() -> None:
    with pytest.raises(SettingsError, match="`composites` 1\\.5: a share") as caught:
        Recipe(composites=1.5)
    assert in_flags(str(caught.value)).startswith("--composites 1.5: ")
    assert (FLAGS["batch"], FLAGS["split_file"]) == ("--batch-size", "--split")
