"""Mean power from the values of an energy counter, and a record of whatever was wrong with it.

A counter that falls was **reset** (it began again from 0), has **rolled over** (it went past its
highest number) or **dips** (it trembles by a step, or tells an older value). These are three cases
with three answers: a dip that is taken for a reset books the energy of a lifetime once more. Which
case it is follows from how far the counter fell and from what its rated power allows; a policy
says what is done about it.

Energy is counted in whole milliwatt-hours and is never negative. Power is whole milliwatts; what
they cannot hold of an interval is carried into the next ones, so that over all intervals with power

    sum of |power_mw| * milliseconds + remainder_mwms = energy_mwms

Where the length of every interval divides the hour nothing is carried: each power is exact.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any, Final

import attrs
import numpy as np

from energycore.devices.fields import between, number, power
from energycore.errors import InvalidValue
from energycore.quantities.instants import US_PER_MS, from_epoch_us
from energycore.quantities.units import MILLI_PER_UNIT, MISSING, FloatArray, IntArray, to_milli
from energycore.telemetry.readings import ReadingBatch

__all__ = [
    "CounterDirection",
    "CounterEvent",
    "CounterEventKind",
    "CounterPower",
    "DipPolicy",
    "EnergyCounter",
    "ResetPolicy",
    "RisePolicy",
    "power_from_counter",
]

_MWMS_PER_MWH: Final = 3_600_000
_MARGIN: Final = 1.25
"""An interval may hold a quarter more than the rated power: devices exceed it for a while, and a
value is often some seconds older than its instant says."""
_MAX_COUNTER_WH: Final = 1e12


class CounterDirection(Enum):
    """Which way the energy flows that a counter counts, seen from the home's bus."""

    PRODUCTION = "production"
    """Out of the device: generated, discharged; of a grid meter, exported. Power is positive."""
    CONSUMPTION = "consumption"
    """Into the device: consumed, charged; of a grid meter, imported. Power is negative."""


class ResetPolicy(Enum):
    """What is done about a fall that is neither a rollover nor a dip."""

    GAP = "gap"
    """The power of the interval is unknown, and counting goes on from the new value."""
    RESTART = "restart"
    """The counter began again from 0: the new value is the energy of the interval. Where that is
    more than the rated power allows, the power is unknown all the same."""
    REFUSE = "refuse"
    """An error."""


class DipPolicy(Enum):
    """What is done about a small fall. No policy counts the way back up a second time."""

    HOLD = "hold"
    """No energy until the counter passes its highest value again."""
    GAP = "gap"
    """Unknown power until the counter reaches its highest value again."""
    REFUSE = "refuse"
    """An error."""


class RisePolicy(Enum):
    """What is done about a rise that the rated power does not allow."""

    GAP = "gap"
    """The power of the interval is unknown, and counting goes on from the new value."""
    REFUSE = "refuse"
    """An error."""


class CounterEventKind(Enum):
    """What a counter did instead of counting on."""

    RESET = "reset"
    ROLLOVER = "rollover"
    DIP = "dip"
    RISE = "rise"
    """It rose by more than the rated power allows."""


def _member_of(enum: type[Enum]) -> Callable[[Any, "attrs.Attribute[Any]", Any], None]:
    def check(instance: Any, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not isinstance(value, enum):
            names = ", ".join(f"{enum.__name__}.{member.name}" for member in enum)
            raise InvalidValue(attribute.name, value, f"one of {names}")

    return check


@attrs.frozen(kw_only=True)
class EnergyCounter:
    """What is known of a counter, and what to do when it does not simply count on.

    Raises:
        InvalidValue: a field holds what it cannot hold.
    """

    direction: CounterDirection = attrs.field(validator=_member_of(CounterDirection))
    rated_power_w: float = attrs.field(converter=number, validator=power)
    """Largest power [W]: an interval with over a quarter more than that is implausible."""
    resolution_wh: float = attrs.field(converter=number, validator=between(1e-3, 1e6, "Wh"))
    """Its smallest step [Wh], the last digit: 100 for a counter that shows 215.6 kWh."""
    rolls_over_at_wh: float | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(number),
        validator=attrs.validators.optional(between(1.0, _MAX_COUNTER_WH, "Wh")),
    )
    """The number [Wh] at which it shows 0 again; None for one that never does."""
    dip_tolerance_wh: float = attrs.field(
        converter=number, validator=between(0.0, _MAX_COUNTER_WH, "Wh")
    )
    """The largest fall [Wh] that is a dip; one step of the counter unless given."""
    reset: ResetPolicy = attrs.field(default=ResetPolicy.GAP, validator=_member_of(ResetPolicy))
    """A gap unless chosen otherwise: after a long pause a counter need not have begun from 0."""
    dip: DipPolicy = attrs.field(default=DipPolicy.HOLD, validator=_member_of(DipPolicy))
    rise: RisePolicy = attrs.field(default=RisePolicy.GAP, validator=_member_of(RisePolicy))

    @dip_tolerance_wh.default
    def _one_step(self) -> float:
        return self.resolution_wh


@attrs.frozen(kw_only=True)
class CounterEvent:
    """A counter that did not simply count on, and what was made of it."""

    kind: CounterEventKind
    at_us: int
    """The instant of the value that shows it, epoch microseconds."""
    before_wh: float
    """What the counter had reached before [Wh]."""
    after_wh: float
    """The value that shows it [Wh]."""
    energy_wh: float | None
    """Energy that is counted for the interval before `at_us` [Wh]; None where it is unknown."""
    sentence: str


@attrs.frozen(kw_only=True, eq=False)
class CounterPower:
    """n distinct instants of a counter, and the mean power from each to the next."""

    at_us: IntArray
    """Shape (n,), ascending, epoch microseconds."""
    power_mw: IntArray
    """Shape (n,), signed [mW]: from `at_us[i]` to `at_us[i + 1]`. `MISSING` where it is unknown,
    and always at the last instant, from which on nothing was counted yet."""
    events: tuple[CounterEvent, ...]
    """In the order of their instants."""
    energy_mwms: int
    """What was counted in the intervals with power [mW * ms], never negative."""
    remainder_mwms: int
    """The part of it that is not in `power_mw`: less than 1 mW for the longest interval."""
    longest_interval: timedelta
    """Of those with power: a reading that holds for a shorter time than this loses energy."""

    @property
    def energy_wh(self) -> float:
        """What was counted in the intervals with power [Wh], never negative."""
        return self.energy_mwms / (_MWMS_PER_MWH * MILLI_PER_UNIT)

    def readings(self, device_id: int) -> ReadingBatch:
        """The intervals with power as readings of a device; a gap is left out, not filled with 0.

        A reading holds until the next one, and at most for the `max_gap` of its device. So with
        counter values at equal intervals and that interval as `max_gap`, the device gets exactly
        the energy of `power_mw`. An interval longer than `max_gap` loses what lies beyond it; one
        shorter than `max_gap`, before a gap or at the end, is held for longer than was counted.
        """
        known = np.flatnonzero(self.power_mw != MISSING)
        return ReadingBatch(
            device_id=np.full(len(known), device_id, dtype=np.int64),
            at_us=self.at_us[known],
            power_mw=self.power_mw[known],
            stored_mwh=np.full(len(known), MISSING, dtype=np.int64),
        )


def power_from_counter(
    at_us: IntArray, counter_wh: FloatArray, counter: EnergyCounter
) -> CounterPower:
    """Turn the values of an energy counter into the mean power between them.

    Values are quantised to 1 mWh, halves to even. Each power is within 1 mW of the mean power of
    its interval, and 0 where nothing was counted.

    Args:
        at_us: shape (m,), int64 epoch microseconds in whole milliseconds, in any order. An instant
            may come several times with the same value.
        counter_wh: shape (m,) [Wh], the value of the counter at each instant.
        counter: what is known of it, and what to do where it does not simply count on.

    Returns:
        The power at the n distinct instants, and an event for each correction. The same values in
        another order give the same result.

    Raises:
        InvalidValue: the columns differ in length; an instant is finer than a millisecond; a value
            is not finite, negative, too large or not below `rolls_over_at_wh`; an instant has two
            values; or a policy refuses what the counter did.
    """
    instants_us, values_mwh = _in_order(at_us, counter_wh, counter)
    lengths_ms = np.diff(instants_us) // US_PER_MS
    energies_mwh, events = _count(counter, instants_us, values_mwh, lengths_ms)
    power_mw, remainder_mwms = _spread(energies_mwh, lengths_ms.tolist())
    if counter.direction is CounterDirection.CONSUMPTION:
        power_mw = [value if value == MISSING else -value for value in power_mw]
    has_power = np.array([energy is not None for energy in energies_mwh], dtype=bool)
    longest_ms = int(lengths_ms[has_power].max(initial=0))
    after_last = [MISSING] * min(1, len(instants_us))
    return CounterPower(
        at_us=instants_us,
        power_mw=np.array([*power_mw, *after_last], dtype=np.int64),
        events=tuple(events),
        energy_mwms=sum(energy or 0 for energy in energies_mwh) * _MWMS_PER_MWH,
        remainder_mwms=remainder_mwms,
        longest_interval=timedelta(milliseconds=longest_ms),
    )


def _in_order(
    at_us: IntArray, counter_wh: FloatArray, counter: EnergyCounter
) -> tuple[IntArray, IntArray]:
    """The distinct instants in order, and the quantised value at each [mWh]."""
    counter_wh = np.asarray(counter_wh, dtype=np.float64)
    if len(at_us) != len(counter_wh):
        raise InvalidValue("counter_wh", len(counter_wh), f"as long as at_us, {len(at_us)} values")
    fine = np.flatnonzero(at_us % US_PER_MS)
    if len(fine):
        raise InvalidValue("at_us", int(at_us[fine[0]]), "whole milliseconds")
    below_wh = np.inf if counter.rolls_over_at_wh is None else counter.rolls_over_at_wh
    good = (counter_wh >= 0) & (counter_wh <= _MAX_COUNTER_WH) & (counter_wh < below_wh)
    if not good.all():
        limit = f"finite, at least 0 and below {min(below_wh, _MAX_COUNTER_WH):,.0f} Wh"
        raise InvalidValue("counter_wh", float(counter_wh[np.argmin(good)]), limit)
    values_mwh = to_milli(counter_wh)
    order = np.lexsort((values_mwh, at_us))
    at_us, values_mwh = at_us[order], values_mwh[order]
    again = np.flatnonzero(np.diff(at_us) == 0)
    for row in again[values_mwh[again] != values_mwh[again + 1]].tolist():
        both = [value / MILLI_PER_UNIT for value in values_mwh[row : row + 2].tolist()]
        raise InvalidValue("counter_wh", both, f"one value at {_instant(at_us[row])}")
    return np.delete(at_us, again), np.delete(values_mwh, again)


def _count(
    counter: EnergyCounter, instants_us: IntArray, values_mwh: IntArray, lengths_ms: IntArray
) -> tuple[list[int | None], list[CounterEvent]]:
    """The energy of each interval [mWh], None where it is unknown, and what else happened."""
    energies_mwh: list[int | None] = []
    events: list[CounterEvent] = []
    if not len(values_mwh):
        return energies_mwh, events
    # W * ms / 3,600 = mWh. A value may be off by one step without anything being wrong.
    limits_mwh = counter.rated_power_w * _MARGIN * lengths_ms / 3_600
    limits_mwh += counter.resolution_wh * MILLI_PER_UNIT
    tolerance_mwh = round(counter.dip_tolerance_wh * MILLI_PER_UNIT)
    reached_mwh, *later_mwh = values_mwh.tolist()
    dips = False
    rows = zip(instants_us[1:].tolist(), later_mwh, limits_mwh.tolist(), strict=True)
    for at_us, value_mwh, limit_mwh in rows:
        rise_mwh = value_mwh - reached_mwh
        if 0 <= rise_mwh <= limit_mwh:
            energies_mwh.append(rise_mwh)
            reached_mwh, dips = value_mwh, False
            continue
        step = _Step(at_us=at_us, before_mwh=reached_mwh, after_mwh=value_mwh, limit_mwh=limit_mwh)
        if 0 < -rise_mwh <= tolerance_mwh:
            energy_mwh, event = _dip(counter, step)
            if not dips:
                events.append(event)
            dips = True
        else:
            energy_mwh, event = (_rise if rise_mwh > 0 else _fall)(counter, step)
            events.append(event)
            reached_mwh, dips = value_mwh, False
        energies_mwh.append(energy_mwh)
    return energies_mwh, events


@attrs.frozen(kw_only=True)
class _Step:
    """A value that does not count on from what the counter had reached."""

    at_us: int
    before_mwh: int
    after_mwh: int
    limit_mwh: float

    def event(
        self, kind: CounterEventKind, energy_mwh: int | None, sentence: str
    ) -> tuple[int | None, CounterEvent]:
        return energy_mwh, CounterEvent(
            kind=kind,
            at_us=self.at_us,
            before_wh=self.before_mwh / MILLI_PER_UNIT,
            after_wh=self.after_mwh / MILLI_PER_UNIT,
            energy_wh=None if energy_mwh is None else energy_mwh / MILLI_PER_UNIT,
            sentence=sentence,
        )


def _dip(counter: EnergyCounter, step: _Step) -> tuple[int | None, CounterEvent]:
    if counter.dip is DipPolicy.REFUSE:
        raise _refusal(step, f"at least {_wh(step.before_mwh)}", "dip")
    fell = f"The counter fell by {_wh(step.before_mwh - step.after_mwh)}, a dip"
    if counter.dip is DipPolicy.HOLD:
        said = f"{fell}: no energy is counted until it passes {_wh(step.before_mwh)} again."
        return step.event(CounterEventKind.DIP, 0, said)
    said = f"{fell}: the power is unknown until it reaches {_wh(step.before_mwh)} again."
    return step.event(CounterEventKind.DIP, None, said)


def _rise(counter: EnergyCounter, step: _Step) -> tuple[int | None, CounterEvent]:
    if counter.rise is RisePolicy.REFUSE:
        limit_mwh = step.before_mwh + int(step.limit_mwh)
        raise _refusal(step, f"at most {_wh(limit_mwh)}", "rise above the rated power")
    rose = f"The counter rose by {_wh(step.after_mwh - step.before_mwh)}"
    said = f"{rose}, more than its rated power allows: the power of the interval is unknown."
    return step.event(CounterEventKind.RISE, None, said)


def _fall(counter: EnergyCounter, step: _Step) -> tuple[int | None, CounterEvent]:
    fell = f"The counter fell from {_wh(step.before_mwh)} to {_wh(step.after_mwh)}"
    if counter.rolls_over_at_wh is not None:
        top_mwh = round(counter.rolls_over_at_wh * MILLI_PER_UNIT)
        energy_mwh = top_mwh - step.before_mwh + step.after_mwh
        # In an interval that is long enough for a whole round, every fall could be a rollover.
        if energy_mwh <= step.limit_mwh < top_mwh:
            said = f"{fell}, past {_wh(top_mwh)}, a rollover: {_wh(energy_mwh)} are counted."
            return step.event(CounterEventKind.ROLLOVER, energy_mwh, said)
    if counter.reset is ResetPolicy.REFUSE:
        raise _refusal(step, f"at least {_wh(step.before_mwh)}", "reset")
    if counter.reset is ResetPolicy.GAP:
        said = f"{fell}, a reset: the power of the interval is unknown."
        return step.event(CounterEventKind.RESET, None, said)
    if step.after_mwh > step.limit_mwh:
        said = f"{fell}, and its rated power does not allow that much from 0: the power is unknown."
        return step.event(CounterEventKind.RESET, None, said)
    said = f"{fell}, a reset: {_wh(step.after_mwh)} are counted, from 0 on."
    return step.event(CounterEventKind.RESET, step.after_mwh, said)


def _refusal(step: _Step, limit: str, what: str) -> InvalidValue:
    said = f"{limit} at {_instant(step.at_us)} (a {what} is refused)"
    return InvalidValue("counter_wh", step.after_mwh / MILLI_PER_UNIT, said)


def _spread(energies_mwh: Sequence[int | None], lengths_ms: Sequence[int]) -> tuple[list[int], int]:
    """The power of each interval [mW], and the energy that is left over [mW * ms].

    What a whole number of milliwatts leaves of an interval is carried on, and given to a later one
    as one more milliwatt. More than one would put the remainder of a month into a second.
    """
    power_mw: list[int] = []
    carried_mwms = 0
    for energy_mwh, length_ms in zip(energies_mwh, lengths_ms, strict=True):
        if energy_mwh is None:
            power_mw.append(MISSING)
            continue
        whole_mw, rest_mwms = divmod(energy_mwh * _MWMS_PER_MWH, length_ms)
        carried_mwms += rest_mwms
        if energy_mwh and carried_mwms >= length_ms:
            whole_mw += 1
            carried_mwms -= length_ms
        power_mw.append(whole_mw)
    return power_mw, carried_mwms


def _wh(energy_mwh: int) -> str:
    return f"{energy_mwh / MILLI_PER_UNIT:,.3f}".rstrip("0").rstrip(".") + " Wh"


def _instant(at_us: int) -> str:
    return from_epoch_us(at_us).isoformat()
