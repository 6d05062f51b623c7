"""Every error that energycore raises on purpose, each with a stable code and the data behind it.

EnergycoreError
|-- InvalidValue (ValueError)                INVALID_VALUE
|   |-- UnknownTimeZone                      UNKNOWN_TIME_ZONE
|   |-- InstantWithoutZone                   INSTANT_WITHOUT_ZONE
|   |-- InstantOutOfRange                    INSTANT_OUT_OF_RANGE
|   |-- StoredEnergyOutOfBounds              STORED_ENERGY_OUT_OF_BOUNDS
|   |-- UnknownDeviceKind                    UNKNOWN_DEVICE_KIND
|   |-- UnknownDispatch                      UNKNOWN_DISPATCH
|   |-- InvalidCursor                        INVALID_CURSOR
|   |-- PageTooLarge                         PAGE_TOO_LARGE
|   |-- TooManyBuckets                       TOO_MANY_BUCKETS
|   |-- TimeZoneRequired                     TIME_ZONE_REQUIRED
|   |-- ReadingTooOld                        READING_TOO_OLD
|   `-- InvalidHomeFile                      INVALID_HOME_FILE
|-- NotFound (LookupError)                   NOT_FOUND
|-- Conflict (ValueError)                    CONFLICT
|   |-- NameTaken                            NAME_TAKEN
|   |-- VersionConflict                      VERSION_CONFLICT
|   `-- KindChanged                          KIND_CHANGED
|-- NotAllowed (ValueError)                  NOT_ALLOWED
|   |-- DeviceIsSimulated                    DEVICE_IS_SIMULATED
|   |-- DeviceIsReported                     DEVICE_IS_REPORTED
|   |-- DeviceIsInactive                     DEVICE_IS_INACTIVE
|   |-- DeviceIsNotStorage                   DEVICE_IS_NOT_STORAGE
|   |-- ClockIsSimulated                     CLOCK_IS_SIMULATED
|   |-- TickMisaligned                       TICK_MISALIGNED
|   `-- ResolutionNotKept                    RESOLUTION_NOT_KEPT
|-- TimedOut (TimeoutError)                  TIMEOUT
|-- ScopeRequired (TypeError)                SCOPE_REQUIRED
|-- DeviceKindConflict (TypeError)           DEVICE_KIND_CONFLICT
|-- SchemaOutdated (RuntimeError)            SCHEMA_OUTDATED
|-- StorageUnavailable (ConnectionError)     STORAGE_UNAVAILABLE
|-- ArchiveUnavailable (ConnectionError)     ARCHIVE_UNAVAILABLE
|-- ArchiveDamaged (RuntimeError)            ARCHIVE_DAMAGED
|-- VerificationFailed (RuntimeError)        VERIFICATION_FAILED
|-- UnsupportedDatabase (ValueError)         UNSUPPORTED_DATABASE
|-- UnsupportedChannel (ValueError)          UNSUPPORTED_CHANNEL
|-- InvalidSettings (RuntimeError)           INVALID_SETTINGS
`-- MissingExtra (ImportError)               MISSING_EXTRA
"""

from datetime import date, timedelta
from typing import ClassVar

__all__ = [
    "ArchiveDamaged",
    "ArchiveUnavailable",
    "ClockIsSimulated",
    "Conflict",
    "DeviceIsInactive",
    "DeviceIsNotStorage",
    "DeviceIsReported",
    "DeviceIsSimulated",
    "DeviceKindConflict",
    "EnergycoreError",
    "InstantOutOfRange",
    "InstantWithoutZone",
    "InvalidCursor",
    "InvalidHomeFile",
    "InvalidSettings",
    "InvalidValue",
    "KindChanged",
    "MissingExtra",
    "NameTaken",
    "NotAllowed",
    "NotFound",
    "PageTooLarge",
    "ReadingTooOld",
    "ResolutionNotKept",
    "SchemaOutdated",
    "ScopeRequired",
    "StorageUnavailable",
    "StoredEnergyOutOfBounds",
    "TickMisaligned",
    "TimeZoneRequired",
    "TimedOut",
    "TooManyBuckets",
    "UnknownDeviceKind",
    "UnknownDispatch",
    "UnknownTimeZone",
    "UnsupportedChannel",
    "UnsupportedDatabase",
    "VerificationFailed",
    "VersionConflict",
]


class EnergycoreError(Exception):
    """Base of all energycore errors: a sentence for people and a `code` for programs."""

    code: ClassVar[str] = "ENERGYCORE_ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidValue(EnergycoreError, ValueError):
    """A field holds something that it cannot hold; names the field, the value and the limit."""

    code = "INVALID_VALUE"

    def __init__(self, field: str, value: object, limit: str) -> None:
        missing = "" if value is None else f", not {_shown(value)}"
        super().__init__(f"{field} must be {limit}{missing}")
        self.field = field
        self.value = value
        self.limit = limit

    def __reduce__(self) -> tuple[type["InvalidValue"], tuple[object, ...]]:
        return type(self), (self.field, self.value, self.limit)


class UnknownTimeZone(InvalidValue):
    """The name is not in the IANA time zone database."""

    code = "UNKNOWN_TIME_ZONE"


class InstantWithoutZone(InvalidValue):
    """A date and time without an offset does not say which instant is meant."""

    code = "INSTANT_WITHOUT_ZONE"


class InstantOutOfRange(InvalidValue):
    """The instant lies before or after what is accepted here."""

    code = "INSTANT_OUT_OF_RANGE"


class StoredEnergyOutOfBounds(InvalidValue):
    """The stored energy lies outside of what the storage may hold."""

    code = "STORED_ENERGY_OUT_OF_BOUNDS"


class UnknownDeviceKind(InvalidValue):
    """No installed package declares a device kind of that name."""

    code = "UNKNOWN_DEVICE_KIND"


class UnknownDispatch(InvalidValue):
    """No dispatch strategy has that name."""

    code = "UNKNOWN_DISPATCH"


class InvalidCursor(InvalidValue):
    """The cursor was not made by this list, or not in this order."""

    code = "INVALID_CURSOR"


class PageTooLarge(InvalidValue):
    """More items were asked for than one page may hold."""

    code = "PAGE_TOO_LARGE"


class TooManyBuckets(InvalidValue):
    """The range would give more buckets than one answer may hold."""

    code = "TOO_MANY_BUCKETS"


class TimeZoneRequired(InvalidValue):
    """The devices stand in several time zones: the question must name the one that it means."""

    code = "TIME_ZONE_REQUIRED"


class ReadingTooOld(InvalidValue):
    """The reading's day is only kept as totals, which it cannot be added to any more."""

    code = "READING_TOO_OLD"


class InvalidHomeFile(InvalidValue):
    """A file that describes a home has a wrong key, unit or value; says in which line."""

    code = "INVALID_HOME_FILE"

    def __init__(
        self,
        field: str,
        value: object,
        limit: str,
        file: str = "",
        line: int | None = None,
        problem: str | None = None,
    ) -> None:
        super().__init__(field, value, limit)
        self.file = file
        self.line = line
        self.problem = self.message if problem is None else problem
        place = file if line is None else f"{file}:{line}"
        self.message = f"{place}: {self.problem}" if place else self.problem
        self.args = (self.message,)

    def __reduce__(self) -> tuple[type["InvalidHomeFile"], tuple[object, ...]]:
        return type(self), (
            self.field,
            self.value,
            self.limit,
            self.file,
            self.line,
            self.problem,
        )


class NotFound(EnergycoreError, LookupError):
    """Nothing of that kind and identity is visible in this scope."""

    code = "NOT_FOUND"

    def __init__(self, noun: str, identity: object) -> None:
        super().__init__(f"there is no {noun} {_shown(identity)}")
        self.noun = noun
        self.identity = identity

    def __reduce__(self) -> tuple[type["NotFound"], tuple[str, object]]:
        return type(self), (self.noun, self.identity)


class Conflict(EnergycoreError, ValueError):
    """The request contradicts what is stored; `current` is what is stored, where that helps."""

    code = "CONFLICT"

    def __init__(self, message: str, current: object = None) -> None:
        super().__init__(message)
        self.current = current


class NameTaken(Conflict):
    """Another device of the site has that name, or another registration that external id."""

    code = "NAME_TAKEN"


class VersionConflict(Conflict):
    """Somebody else changed the device first; `current` is the device as it is now."""

    code = "VERSION_CONFLICT"


class KindChanged(Conflict):
    """An update cannot turn a device into one of another kind."""

    code = "KIND_CHANGED"


class NotAllowed(EnergycoreError, ValueError):
    """The request is well formed, but not for this device or database."""

    code = "NOT_ALLOWED"


class DeviceIsSimulated(NotAllowed):
    """A simulated device is moved by ticks only; it takes no readings."""

    code = "DEVICE_IS_SIMULATED"


class DeviceIsReported(NotAllowed):
    """A reported device does what its owner says elsewhere; it takes no commands here."""

    code = "DEVICE_IS_REPORTED"


class DeviceIsInactive(NotAllowed):
    """The device was deactivated; reactivate it first."""

    code = "DEVICE_IS_INACTIVE"


class DeviceIsNotStorage(NotAllowed):
    """The device stores no energy, so it has neither mode nor dispatch."""

    code = "DEVICE_IS_NOT_STORAGE"


class ClockIsSimulated(NotAllowed):
    """The database runs on an accelerated clock, which real readings cannot share."""

    code = "CLOCK_IS_SIMULATED"


class TickMisaligned(NotAllowed):
    """A tick's instant is not a whole multiple of the shard's step."""

    code = "TICK_MISALIGNED"


class ResolutionNotKept(NotAllowed):
    """What is kept of that time cannot answer this exactly, and nothing is made up."""

    code = "RESOLUTION_NOT_KEPT"


class TimedOut(EnergycoreError, TimeoutError):
    """The request took too long; what it had begun to change is finished or taken back."""

    code = "TIMEOUT"


class ScopeRequired(EnergycoreError, TypeError):
    """A service or repository was called without saying for which tenant."""

    code = "SCOPE_REQUIRED"


class DeviceKindConflict(EnergycoreError, TypeError):
    """Two packages declare one device kind, or a declaration is not usable."""

    code = "DEVICE_KIND_CONFLICT"


class SchemaOutdated(EnergycoreError, RuntimeError):
    """The database was made by another version of energycore; the message says what to run."""

    code = "SCHEMA_OUTDATED"


class StorageUnavailable(EnergycoreError, ConnectionError):
    """The database cannot be reached or is busy; the request may be repeated."""

    code = "STORAGE_UNAVAILABLE"


class ArchiveUnavailable(EnergycoreError, ConnectionError):
    """The archive, or a file in it, cannot be reached; the request may be repeated."""

    code = "ARCHIVE_UNAVAILABLE"


class ArchiveDamaged(EnergycoreError, RuntimeError):
    """A file of the archive does not hold what was written into it."""

    code = "ARCHIVE_DAMAGED"


class VerificationFailed(EnergycoreError, RuntimeError):
    """What was computed or copied does not equal its source, which is therefore kept."""

    code = "VERIFICATION_FAILED"


class UnsupportedDatabase(EnergycoreError, ValueError):
    """The URL names a database that energycore has no backend for."""

    code = "UNSUPPORTED_DATABASE"


class UnsupportedChannel(EnergycoreError, ValueError):
    """The URL names a channel of changes that energycore does not know."""

    code = "UNSUPPORTED_CHANNEL"


class InvalidSettings(EnergycoreError, RuntimeError):
    """An application cannot start as it is set up; names each setting and what it may hold."""

    code = "INVALID_SETTINGS"


class MissingExtra(EnergycoreError, ImportError):
    """An optional package is not installed; the message is the command that installs it."""

    code = "MISSING_EXTRA"

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f'{feature} needs more packages: run pip install "energycore[{extra}]"')
        self.feature = feature
        self.extra = extra

    def __reduce__(self) -> tuple[type["MissingExtra"], tuple[str, str]]:
        return type(self), (self.feature, self.extra)


def _shown(value: object) -> str:
    if isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, timedelta):
        text = str(value)
    else:
        text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
