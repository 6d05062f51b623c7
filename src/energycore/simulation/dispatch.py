"""Dispatch strategies: what power each storage of a site is asked for."""

from typing import ClassVar, Protocol

import attrs
import numpy as np

from energycore.errors import InvalidValue, UnknownDispatch
from energycore.quantities.units import FloatArray

__all__ = ["DISPATCHES", "Dispatch", "Manual", "SelfConsumption", "as_dispatch", "dispatch_class"]


class Dispatch(Protocol):
    """A strategy with its parameters; stored by name, applied to columns.

    A storage's dispatch may not depend on its own charge: limits and bounds are physics and come
    afterwards. That keeps a long window as exact as its ticks.
    """

    name: ClassVar[str]
    follows_balance: ClassVar[bool]
    """False: asks the same whatever the home does, and runs before those that do look."""

    @property
    def priority(self) -> int:
        """Among storages of a site that follow its balance, the lowest goes first."""
        ...

    def requested_w(self, setpoint_w: FloatArray, surplus_w: FloatArray) -> FloatArray:
        """Signed power asked for.

        Args:
            setpoint_w: shape (n,), the commanded power [W].
            surplus_w: shape (k, n), what the rest of the site has left over [W].

        Returns:
            Shape (k, n) or (1, n) [W]; + discharges, - charges.
        """
        ...


@attrs.frozen(kw_only=True)
class Manual:
    """Do what the last command said, until a bound ends it."""

    name: ClassVar[str] = "manual"
    follows_balance: ClassVar[bool] = False

    @property
    def priority(self) -> int:
        """Manual storage does not wait for others."""
        return 0

    def requested_w(self, setpoint_w: FloatArray, surplus_w: FloatArray) -> FloatArray:
        """The commanded power in every tick."""
        return setpoint_w[np.newaxis]


@attrs.frozen(kw_only=True)
class SelfConsumption:
    """Store the surplus of the site and cover its deficit, so that little crosses the meter."""

    name: ClassVar[str] = "self_consumption"
    follows_balance: ClassVar[bool] = True
    priority: int = attrs.field(default=0)
    """The lowest of a site goes first; equal ones by kind, then by noise key."""

    @priority.validator
    def _check_priority(self, attribute: object, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not -100 <= value <= 100:
            raise InvalidValue("priority", value, "a whole number from -100 to 100")

    def requested_w(self, setpoint_w: FloatArray, surplus_w: FloatArray) -> FloatArray:
        """Minus the surplus of the rest of the site."""
        return np.negative(surplus_w)


DISPATCHES: dict[str, type[Dispatch]] = {
    strategy.name: strategy for strategy in (Manual, SelfConsumption)
}


def as_dispatch(given: object) -> Dispatch:
    """A strategy as it is, or by its name with the default parameters.

    Raises:
        UnknownDispatch: it is neither.
    """
    for strategy in DISPATCHES.values():
        if isinstance(given, strategy):
            return given
    return dispatch_class(given if isinstance(given, str) else repr(given))()


def dispatch_class(name: str) -> type[Dispatch]:
    """The strategy of that name.

    Raises:
        UnknownDispatch: there is none.
    """
    try:
        return DISPATCHES[name]
    except KeyError:
        raise UnknownDispatch("dispatch", name, f"one of {', '.join(DISPATCHES)}") from None
