"""The public names of energycore are a list that changes on purpose."""

import difflib
from pathlib import Path

import energycore

LIST = Path(__file__).with_name("public_names.txt")


def test_the_public_names_are_those_on_the_list():
    listed = LIST.read_text(encoding="utf-8").splitlines()
    offered = sorted(energycore.__all__)
    change = "\n".join(difflib.unified_diff(listed, offered, str(LIST), "energycore.__all__", n=0))
    assert offered == listed, (
        f"the public names changed:\n{change}\nIf that is meant, write it into the list and a"
        " fragment into changelog.d: a name that goes or changes breaks its users."
    )


def test_every_public_name_is_there_and_explains_itself():
    for name in energycore.__all__:
        thing = getattr(energycore, name)
        assert isinstance(thing, str) or getattr(thing, "__doc__", None), name


def test_dir_shows_the_public_names():
    assert set(energycore.__all__) <= set(dir(energycore))


def test_a_name_that_is_not_public_is_an_attribute_error():
    assert not hasattr(energycore, "no_such_name")
