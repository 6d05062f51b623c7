"""Commands to storage: what mode it is in, and which strategy steers it."""

import attrs

from energycore.devices.base import DataSource, Device, Role, StorageMode
from energycore.devices.storage_device import StorageDevice, StorageState
from energycore.errors import (
    DeviceIsInactive,
    DeviceIsNotStorage,
    DeviceIsReported,
    InvalidValue,
    NotFound,
)
from energycore.fleet.columns import DeviceState
from energycore.protocols.channel import Channel
from energycore.protocols.records import DeviceRecord
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.services.announcing import announce
from energycore.simulation.dispatch import Dispatch, Manual, as_dispatch
from energycore.simulation.storage import ModeCode

__all__ = ["Control", "check_dispatch", "idle_command", "initial_state", "steerable"]

_CODES = {
    StorageMode.CHARGING: ModeCode.CHARGING,
    StorageMode.IDLE: ModeCode.IDLE,
    StorageMode.DISCHARGING: ModeCode.DISCHARGING,
}


@attrs.frozen(kw_only=True)
class Control:
    """Takes commands; they act from the next tick on that is not stored yet."""

    storage: Storage
    channel: Channel | None = None
    """Is told which device was given a command."""

    def set_mode(
        self, scope: Scope, device_id: int, mode: StorageMode | str, power_w: float | None = None
    ) -> DeviceRecord:
        """Tell a storage what to do until a bound ends it; it is steered by hand from then on.

        Args:
            scope: the tenant.
            device_id: the storage.
            mode: what to do.
            power_w: with what power [W], at least 0.001; its limit unless given.

        Raises:
            NotFound: there is no such device.
            DeviceIsNotStorage, DeviceIsReported, DeviceIsInactive: it takes no commands.
            InvalidValue: the power is not above 0 and within the limit, or given with IDLE.
        """
        tenant_of(scope)
        with self.storage.transaction(write=True) as work:
            record, device = _steerable(work, scope, device_id)
            asked = StorageState(mode=mode, power_w=power_w)
            setpoint_w = asked.setpoint_w(device)
            state = work.fleet.internal_states(scope, [device_id])[device_id]
            command = {"setpoint_w": setpoint_w, "mode": int(_CODES[asked.mode])}
            work.fleet.save(scope, {device_id: {**state, **command}})
            announce(self.channel, work, scope, [device_id])
            return _steer(work, scope, record, Manual())

    def set_dispatch(self, scope: Scope, device_id: int, dispatch: Dispatch | str) -> DeviceRecord:
        """Choose the strategy that steers a storage.

        A storage that comes under manual steering starts idle: an old command is not revived.

        Raises:
            NotFound: there is no such device.
            DeviceIsNotStorage, DeviceIsReported, DeviceIsInactive: nothing steers it.
        """
        tenant_of(scope)
        chosen = as_dispatch(dispatch)
        with self.storage.transaction(write=True) as work:
            record, _ = _steerable(work, scope, device_id)
            if record.dispatch != chosen:
                state = work.fleet.internal_states(scope, [device_id])[device_id]
                work.fleet.save(scope, {device_id: {**state, **idle_command(state)}})
                announce(self.channel, work, scope, [device_id])
            return _steer(work, scope, record, chosen)


def check_dispatch(
    device: Device, dispatch: Dispatch | str | None, initial: StorageState | None
) -> Dispatch | None:
    """The strategy of a new device: that given, `manual` for other storage, None without storage.

    Raises:
        InvalidValue: a device without storage was given one, or a command was given to a storage
            that takes none.
    """
    if initial is not None and not isinstance(initial, StorageState):
        raise InvalidValue("initial state", initial, "a StorageState")
    if device.role is not Role.STORAGE:
        if dispatch is not None:
            raise InvalidValue("dispatch", dispatch, "absent for a device without storage")
        return None
    chosen = Manual() if dispatch is None else as_dispatch(dispatch)
    if initial is not None and initial.mode is not StorageMode.IDLE and chosen.name != Manual.name:
        raise InvalidValue("mode", initial.mode.value, f"idle under dispatch {chosen.name}")
    return chosen


def idle_command(state: DeviceState) -> DeviceState:
    """What of an internal state changes when its command ends; nothing without storage."""
    return {"setpoint_w": 0.0, "mode": int(ModeCode.IDLE)} if "setpoint_w" in state else {}


def initial_state(
    device: Device, source: DataSource, initial: StorageState | None
) -> DeviceState | None:
    """The internal state that a device begins with; None where its kind's default will do.

    Raises:
        InvalidValue: a state was given to a device that keeps none, or does not fit it.
    """
    if not isinstance(device, StorageDevice) or source is DataSource.REPORTED:
        if initial is not None:
            raise InvalidValue("initial state", initial, "absent unless a simulated storage")
        return None
    start = StorageState() if initial is None else initial
    return {
        "stored_nwh": start.stored_nwh(device),
        "setpoint_w": start.setpoint_w(device),
        "mode": int(_CODES[start.mode]),
    }


def steerable(record: DeviceRecord) -> StorageDevice:
    """The storage that takes commands.

    Raises:
        DeviceIsNotStorage, DeviceIsReported, DeviceIsInactive: it takes none.
    """
    if not isinstance(record.device, StorageDevice):
        raise DeviceIsNotStorage(f"{record.device.name} ({record.device.kind}) is no storage")
    if record.data_source is DataSource.REPORTED:
        raise DeviceIsReported(f"{record.device.name} reports what it does; it takes no commands")
    if not record.is_active:
        raise DeviceIsInactive(f"{record.device.name} is inactive: reactivate it first")
    return record.device


def _steerable(
    work: UnitOfWork, scope: Scope, device_id: int
) -> tuple[DeviceRecord, StorageDevice]:
    # The tick that is under way saves the states it began with: wait for it.
    work.fleet.shards(scope, hold=True)
    record = work.devices.get_many(scope, [device_id]).get(device_id)
    if record is None:
        raise NotFound("device", device_id)
    return record, steerable(record)


def _steer(
    work: UnitOfWork, scope: Scope, record: DeviceRecord, dispatch: Dispatch
) -> DeviceRecord:
    if record.dispatch == dispatch:
        return record
    return work.devices.update(scope, attrs.evolve(record, dispatch=dispatch))
