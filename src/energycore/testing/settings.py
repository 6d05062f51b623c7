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
