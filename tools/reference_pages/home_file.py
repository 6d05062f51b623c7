"""The page of home files: every key, with those of sites, kinds and strategies from the code."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from energycore.devices.base import Device, Role, fields_of_kind
from energycore.devices.site import Site
from energycore.encoding.home import load_home
from energycore.errors import InvalidHomeFile
from energycore.simulation.dispatch import DISPATCHES
from tools.reference_pages.devices import COLUMNS, field_row, shipped_kinds
from tools.reference_pages.markdown import NOTE, first_sentence, table

__all__ = ["page"]

KEYS = ("key", *COLUMNS[1:])

PAGE = """# Home files

{note}

A home file describes one home in [TOML](https://toml.io): its site, its devices, and how its
storage begins. `energycore simulate HOME.toml` and `energycore serve HOME.toml` read it, and
`energycore.load_home(path)` gives it to Python. `examples/home.toml` is a whole one, with the
sources of its numbers.

Units stand in the names of the keys. Numbers may be written with or without a point. A key that is
not on this page is refused.

## An example with every kind of key

```python
from pathlib import Path

import energycore as ec

Path("my-home.toml").write_text(\"\"\"
[site]
name = "Home"
time_zone = "Europe/Berlin"
latitude = 52.52
longitude = 13.41
external_id = "customer-17"

[simulation]
seed = 7

[[devices]]
kind = "solar_panel"
name = "Roof"
tags = ["roof", "south"]
external_id = "inverter-4711"
noise_key = 42
rated_power_w = 5000

[[devices]]
kind = "battery"
name = "Wall"
capacity_wh = 13500
max_charge_w = 5000
max_discharge_w = 5000
dispatch = {{ strategy = "self_consumption", priority = 0 }}
initial = {{ stored_wh = 6000 }}

[[devices]]
kind = "electric_vehicle"
name = "Car"
capacity_wh = 60000
max_charge_w = 11000
max_discharge_w = 11000
min_state_of_charge = 0.5
dispatch = "manual"
initial = {{ stored_wh = 40000, mode = "charging", power_w = 3700 }}

[[devices]]
kind = "appliance"
name = "Fridge"
average_power_w = 60
\"\"\")
home = ec.load_home("my-home.toml")
for entry in home.devices:
    print(entry.device.name, entry.external_id, entry.dispatch)
```

<!-- output -->
```text
Roof inverter-4711 None
Wall customer-17/wall SelfConsumption(priority=0)
Car customer-17/car Manual()
Fridge customer-17/fridge None
```

The same file, simulated from Python:

```python
run = ec.simulate(
    [entry.device for entry in home.devices],
    site=home.site,
    start="2026-06-01",
    days=1,
    seed=home.seed,
    initial=home.initial,
    dispatch=home.dispatch,
)
assert run.final_state["Car"].stored_wh > 40_000
```

## `[site]`

Required; one table.

{site}

## `[simulation]`

May be left out.

{simulation}

## `[[devices]]`

One table for each device, at least one. Every device has these keys:

{device}

A storage also has these:

{storage}

To these come the ratings of its kind. Kinds of installed plugin packages have theirs in the same
way.

{kinds}

### `dispatch`

The name of a strategy, or a table with the name as `strategy` and its parameters beside it. A
storage without it follows `self_consumption`, or `manual` where `initial` gives it a command.

{dispatches}

### `initial`

A table. A command (`mode` other than `idle`) goes with `manual` only.

{initial}

## Names, keys and the database

- An `external_id` that is made from a name is that name in lower case, with hyphens for whatever is
  no letter or digit.
- `external_id` is what `energycore serve` knows a site or a device by: a file is brought into a
  database once, however often it is served. It is unique within the database's tenant.
- A device that is in the database keeps the values that it has there. Where the file says something
  else, `serve` notes the name of the device; change it over GraphQL or with `Energy.update`.
- A device that is no longer in the file stays in the database. Deactivate it there.
- The noise of a device comes from the seed and its `noise_key`. Unless it is given it is made from
  the names of site and device, so a device that is renamed in the file draws other numbers.

## Errors

A fault is one line: the file, its line, the device, what is wrong, and what was meant or expected.
In Python it is an `InvalidHomeFile`, which also carries them apart.

```python
from energycore.errors import InvalidHomeFile

wall = \"\"\"{wall}\"\"\"
for fault in (
{fault_lines}
):
    Path("wrong.toml").write_text(wall + fault)
    try:
        ec.load_home("wrong.toml")
    except InvalidHomeFile as error:
        print(error)
```

<!-- output -->
```text
{faults}
```
"""

WALL = """
[site]
name = "Home"
time_zone = "Europe/Berlin"

[[devices]]
kind = "battery"
name = "Wall"
max_charge_w = 5000
max_discharge_w = 5000
"""
FAULTS = (
    "capacity_kwh = 13.5",
    "capacity_wh = -1",
    "",
    "capacity_wh = 13500\ndispatch = 'self-consumption'",
    "capacity_wh = 13500\ninitial = { stored_wh = 20000 }",
    "capacity_wh = 13 500",
)
EXTERNAL_ID = "Your own key, under which it is registered once."


def page() -> str:
    """The whole page."""
    kinds = shipped_kinds().values()
    return PAGE.format(
        note=NOTE,
        site=table(
            KEYS,
            [
                *(_site_row(field) for field in attrs.fields(Site)),
                ("`external_id`", "", "from the name", EXTERNAL_ID),
            ],
        ),
        simulation=table(KEYS, [("`seed`", "", "0", "Of all noise: a whole number from 0.")]),
        device=table(
            KEYS,
            [
                ("`kind`", "", "required", "One of the kinds below."),
                ("`name`", "", "required", "Name, unique within the file."),
                ("`external_id`", "", "that of the site, `/`, the name", EXTERNAL_ID),
                ("`tags`", "", "none", 'Words to find it by: `["roof", "south"]`.'),
                ("`noise_key`", "", "from the names", "Key of its random numbers: 0 to 2^64 - 1."),
            ],
        ),
        storage=table(
            KEYS,
            [
                ("`dispatch`", "", "see below", "What steers it."),
                ("`initial`", "", "half full, idle", "How it begins."),
            ],
        ),
        kinds="\n\n".join(map(_kind, kinds)),
        dispatches=table(
            ("strategy", "parameters", "meaning"), map(_dispatch, DISPATCHES.values())
        ),
        initial=table(
            KEYS,
            [
                ("`stored_wh`", "Wh", "half of the capacity", "Energy inside, within its bounds."),
                ("`mode`", "", "`idle`", "`charging`, `discharging` or `idle`."),
                ("`power_w`", "W", "its limit", "With what power it follows the command."),
            ],
        ),
        wall=WALL,
        fault_lines="\n".join(f"    {json.dumps(fault)}," for fault in FAULTS),
        faults="\n".join(map(_told, FAULTS)),
    )


def _told(fault: str) -> str:
    """What is said of the file with the fault."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "wrong.toml")
        file.write_text(WALL + fault, encoding="utf-8")
        try:
            load_home(file)
        except InvalidHomeFile as error:
            return str(error).replace(str(file), file.name)
    raise ValueError(f"no fault: {fault}")


def _site_row(field: "attrs.Attribute[object]") -> tuple[str, str, str, str]:
    name, unit, default, meaning = field_row(Site, field)
    # A file says where its home is; in Python UTC will do.
    return name, unit, "required" if field.name == "time_zone" else default, meaning


def _kind(kind: type[Device]) -> str:
    storage = ", a storage" if kind.role is Role.STORAGE else ""
    rows = [field_row(kind, field) for field in fields_of_kind(kind)]
    return f'### `kind = "{kind.kind}"`{storage}\n\n{table(KEYS, rows)}'


def _dispatch(strategy: Any) -> tuple[str, str, str]:
    fields = [f"`{field.name}`, default {field.default}" for field in attrs.fields(strategy)]
    return f"`{strategy.name}`", "; ".join(fields), first_sentence(strategy)
