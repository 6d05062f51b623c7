"""The contract of the settings."""

import pytest

from energycore.errors import InvalidValue
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.testing.contract import Contract

__all__ = ["SettingContract"]


class SettingContract(Contract):
    """The promises of `SettingStore`."""

    def test_a_setting_is_the_text_that_was_put_last(self, storage: Storage, scope: Scope) -> None:
        """A name that nobody used has none."""
        long = "grüße \U0001f50c " * 500
        with storage.transaction(write=True) as work:
            assert work.settings.get(scope, "clock") is None
            work.settings.put(scope, "clock", "first")
            work.settings.put(scope, "clock", long)
            work.settings.put(scope, "other", "")
        with storage.transaction(write=False) as work:
            assert work.settings.get(scope, "clock") == long
            assert work.settings.get(scope, "other") == ""
            assert work.settings.get(scope, "no\0one") is None

    def test_a_setting_that_not_every_backend_can_keep_is_refused(
        self, storage: Storage, scope: Scope
    ) -> None:
        """The refusal says which part of the setting it is."""
        with storage.transaction(write=True) as work:
            with pytest.raises(InvalidValue, match="value"):
                work.settings.put(scope, "clock", "nul\0")
            with pytest.raises(InvalidValue, match="name"):
                work.settings.put(scope, "x" * 201, "")

    def test_settings_are_listed_by_the_beginning_of_their_names(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Letter for letter: signs that mean something in a pattern do not."""
        with storage.transaction(write=True) as work:
            for name in ("a/2", "a/1", "a%", "b/1", "A/3"):
                work.settings.put(scope, name, name.upper())
        with storage.transaction(write=False) as work:
            found = work.settings.items(scope, "a/")
            assert list(found.items()) == [("a/1", "A/1"), ("a/2", "A/2")]
            assert dict(work.settings.items(scope, "a%")) == {"a%": "A%"}
            assert len(work.settings.items(scope, "")) == 5

    def test_a_setting_is_removed_once_and_only_if_it_is_the_one_meant(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Whoever removes it is told so."""
        with storage.transaction(write=True) as work:
            work.settings.put(scope, "lease", "mine")
            assert not work.settings.remove(scope, "lease", "yours")
            assert not work.settings.remove(scope, "other", "mine")
            assert work.settings.get(scope, "lease") == "mine"
            assert work.settings.remove(scope, "lease", "mine")
            assert not work.settings.remove(scope, "lease", "mine")
            assert work.settings.get(scope, "lease") is None
