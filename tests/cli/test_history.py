"""`energycore history`: the numbers of the services, for people and for programs."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

import energycore as ec
from tests.cli.runs import refusal, run, words

REPORTED = ec.DataSource.REPORTED
HOUR = timedelta(hours=1)
# Clocks go back on 2024-10-27 in Berlin.
START = datetime(2024, 10, 25, 22, tzinfo=UTC)
RANGE = ("--from", "2024-10-26", "--to", "2024-10-29")
FIELDS = (
    "coverage",
    "reading_count",
    "mean_power_w",
    "min_power_w",
    "max_power_w",
    "produced_wh",
    "consumed_wh",
    "net_wh",
    "mean_state_of_charge",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Two homes, each with a roof; a battery; a meter that is silent for a day."""
    url = f"sqlite:///{tmp_path_factory.mktemp('history') / 'energycore.db'}"
    with ec.connect(url) as energy:
        home = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
        barn = energy.register_site(
            ec.Site(name="Barn", time_zone="Asia/Kathmandu"), external_id="barn-7"
        )
        roof = ec.SolarPanel(name="Roof", rated_power_w=9_000)
        wall = ec.Battery(name="Wall", capacity_wh=10_000, max_charge_w=5e3, max_discharge_w=5e3)
        kettle = ec.Appliance(name="Tea [hot]", average_power_w=900)
        register = partial(energy.register, data_source=REPORTED, max_gap=HOUR)
        devices = [
            register(roof, site=home, tags=["old"], external_id="meter-17"),
            register(wall, site=home),
            register(kettle, site=home, tags=["old", "hot"]),
            register(roof, site=barn),
        ]
        readings = [
            ec.NewReading(
                device_id=device.id,
                at=START + n * HOUR,
                power_w=(-1) ** number * (1_234.567 + 100 * (n % 24)),
                stored_wh=2_500.0 if number == 1 else None,
            )
            for number, device in enumerate(devices)
            for n in range(73)
            if device.device is not kettle or not 24 <= n < 50
        ]
        assert energy.record(readings).rejected == ()
    return url


def shown(url, *arguments):
    return run("history", "--database", url, *arguments).stdout


def as_json(url, *arguments):
    return json.loads(shown(url, *arguments, "--json"))


def expected(url, ask, interval="day", time_zone=None, days=3):
    """What the services answer for these local days."""
    with ec.connect(url) as energy:
        histories = energy.services.histories
        zone = ec.Site(name="x", time_zone=time_zone or "Europe/Berlin").zone
        start = datetime(2024, 10, 26, tzinfo=zone)
        end = datetime(2024, 10, 26 + days, tzinfo=zone)
        request = histories.request(start, end, interval, time_zone)
        return ask(histories, energy.scope, request)


@pytest.mark.parametrize("interval", ["quarter_hour", "hour", "day", "week", "month"])
@pytest.mark.parametrize(
    ("arguments", "ask"),
    [
        (["--device", "Wall"], lambda h, scope, r: h.of_devices(scope, [2], r)[2]),
        (["--site", "Home"], lambda h, scope, r: h.of_sites(scope, [1], r)[1]),
        (
            ["--tag", "old"],
            lambda h, scope, r: h.of_filter(scope, ec.DeviceFilter(tags=["old"]), r),
        ),
        (
            ["--site", "Home", "--kind", "battery", "--kind", "appliance"],
            lambda h, scope, r: h.of_filter(
                scope, ec.DeviceFilter(site_ids=[1], kinds=["battery", "appliance"]), r
            ),
        ),
    ],
)
def test_the_numbers_are_those_of_the_services(url, arguments, ask, interval):
    history = expected(url, ask, interval)
    plain = as_json(url, *arguments, *RANGE, "--interval", interval)
    assert plain["time_zone"] == history.time_zone == "Europe/Berlin"
    assert plain["interval"] == plain["requested_interval"] == interval
    assert len(plain["buckets"]) == len(history.buckets)
    for bucket, known in zip(plain["buckets"], history.buckets, strict=True):
        assert bucket["start"] == known.start.isoformat()
        assert bucket["end"] == known.end.isoformat()
        assert {name: bucket[name] for name in FIELDS} == {
            name: getattr(known, name) for name in FIELDS
        }


def test_all_devices_together_in_a_zone_that_is_named(url):
    zone = "Asia/Kathmandu"
    history = expected(
        url, lambda h, scope, r: h.of_filter(scope, ec.DeviceFilter(), r), time_zone=zone
    )
    plain = as_json(url, *RANGE, "--zone", zone)
    assert plain["name"] == "All devices"
    assert [b["net_wh"] for b in plain["buckets"]] == [b.net_wh for b in history.buckets]
    assert plain["buckets"][0]["start"] == "2024-10-26T00:00:00+05:45"


def test_csv_says_the_same_as_json_with_nothing_where_nothing_is_known(url):
    arguments = ("--device", "Tea [hot]", *RANGE, "--interval", "hour")
    rows = list(csv.DictReader(io.StringIO(shown(url, *arguments, "--csv"))))
    buckets = as_json(url, *arguments)["buckets"]
    assert len(rows) == len(buckets) == 73
    for row, bucket in zip(rows, buckets, strict=True):
        assert row == {name: "" if v is None else str(v) for name, v in bucket.items()}
    silent = [row for row in rows if row["coverage"] == "0.0"]
    assert len(silent) == 26
    assert {row["mean_power_w"] + row["net_wh"] + row["min_power_w"] for row in silent} == {""}


def test_the_table_has_a_line_for_each_bucket_and_the_sums(url):
    lines = shown(url, "--site", "Home", *RANGE).splitlines()
    assert lines[0] == "Home (Europe/Berlin)"
    assert lines[1] == "2024-10-26 00:00 to 2024-10-29 00:00 by day"
    assert lines[3].split() == [
        "Mean",
        "Least",
        "Greatest",
        "Produced",
        "Consumed",
        "Net",
        "Charge",
    ]
    assert lines[4].split() == ["Start", "Known", "W", "W", "W", "kWh", "kWh", "kWh", "%"]
    history = expected(url, lambda h, scope, r: h.of_sites(scope, [1], r)[1])
    for line, bucket in zip(lines[6:9], history.buckets, strict=True):
        energies = [bucket.produced_wh, bucket.consumed_wh, bucket.net_wh]
        assert line.split()[0] == f"{bucket.start:%Y-%m-%d}"
        assert line.split()[-4:] == [*(f"{wh / 1_000:,.2f}" for wh in energies), "25.0"]
    assert lines[-1].split() == [
        "Sum",
        f"{history.produced_wh / 1_000:,.2f}",
        f"{history.consumed_wh / 1_000:,.2f}",
        f"{(history.produced_wh - history.consumed_wh) / 1_000:,.2f}",
    ]


def test_what_is_not_known_is_blank_and_never_zero_and_all_is_never_rounded_up(url):
    lines = shown(url, "--device", "Tea [hot]", *RANGE).splitlines()
    first, second, third = (line.split() for line in lines[6:9])
    assert first[1:3] == ["100", "%"]
    assert second == ["2024-10-27", "0", "%"]
    assert third[1:3] == ["95.8", "%"]
    assert lines[0].startswith("Tea [hot] ")
    nobody = shown(url, "--tag", "nobody", *RANGE, "--zone", "UTC").splitlines()
    assert [line.split() for line in nobody[6:9]] == [[f"2024-10-{day}"] for day in (26, 27, 28)]
    assert nobody[-1].split() == ["Sum"]


def test_small_energies_are_in_watt_hours(url):
    lines = shown(
        url,
        "--device",
        "2",
        "--from",
        "2024-10-26",
        "--to",
        "2024-10-26T00:30",
        "--interval",
        "quarter_hour",
    ).splitlines()
    assert lines[4].split()[-4:] == ["Wh", "Wh", "Wh", "%"]
    assert lines[6].split()[-2] == "-308.6"


def test_an_hour_that_comes_twice_is_told_by_its_offset(url):
    night = ("--from", "2024-10-27", "--to", "2024-10-27T04:00", "--interval", "hour")
    starts = [line[:22] for line in shown(url, "--device", "Wall", *night).splitlines()[6:11]]
    assert starts == [
        "2024-10-27 00:00+02:00",
        "2024-10-27 01:00+02:00",
        "2024-10-27 02:00+02:00",
        "2024-10-27 02:00+01:00",
        "2024-10-27 03:00+01:00",
    ]
    noon = ("--from", "2024-10-26", "--to", "2024-10-26T02:00", "--interval", "hour")
    assert "2024-10-26 01:00  " in shown(url, "--device", "Wall", *noon)


@pytest.mark.parametrize("columns", [20, 80])
def test_no_number_is_cut_off_where_the_terminal_is_narrow(url, columns):
    output = run("history", "--database", url, "--site", "Home", *RANGE, columns=columns).stdout
    assert "…" not in output
    assert output.splitlines()[3:] == shown(url, "--site", "Home", *RANGE).splitlines()[3:]


def test_lines_of_coarser_totals_are_marked_where_nothing_finer_is_left(tmp_path):
    url = f"sqlite:///{tmp_path / 'energycore.db'}"
    with ec.connect(url) as energy:
        site = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
        roof = ec.SolarPanel(name="Roof", rated_power_w=9_000)
        energy.register(roof, site=site, data_source=REPORTED, max_gap=HOUR)
        energy.record(
            [ec.NewReading(device_id=1, at=START + n * HOUR, power_w=5.0) for n in range(200)]
        )
    arguments = ("--device", "Roof", "--from", "2024-10-01", "--to", "2024-12-01")
    assert "Interval" not in shown(url, *arguments)
    keep = ("--keep-raw", "1d", "--keep-quarter-hours", "1d", "--keep-days", "1d")
    before = as_json(url, *arguments)
    run("upkeep", "--database", url, *keep)
    output = shown(url, *arguments)
    assert output.splitlines()[4].split()[:3] == ["Start", "Interval", "Known"]
    rows = [line.split() for line in output.splitlines() if line.startswith("2024-1")]
    assert [row[:2] for row in rows[1:3]] == [["2024-10-01", "month"], ["2024-11-01", "month"]]
    assert output.endswith("Of some of that time only totals of each month are left.\n")
    after = as_json(url, *arguments)
    assert (after["requested_interval"], after["interval"]) == ("day", "month")
    assert sum(b["net_wh"] or 0 for b in after["buckets"]) == pytest.approx(
        sum(b["net_wh"] or 0 for b in before["buckets"]), abs=1e-9
    )


def test_a_device_is_found_by_name_external_id_and_number(url):
    def buckets(*arguments):
        return as_json(url, *arguments, *RANGE)["buckets"]

    assert buckets("--device", "meter-17") == buckets("--device", "1")
    assert buckets("--device", "Roof", "--site", "Home") == buckets("--device", "1")
    assert buckets("--device", "Roof", "--site", "barn-7") == buckets("--device", "4")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "Wal"], "there is no device 'Wal': did you mean 'Wall'? (NOT_FOUND)"),
        (
            ["--device", "x"],
            "there is no device 'x': there are 'Roof', 'Tea [hot]', 'Wall' (NOT_FOUND)",
        ),
        (
            ["--device", "Wall", "--site", "Barn"],
            "there is no device 'Wall': there are 'Roof' (NOT_FOUND)",
        ),
        (
            ["--device", "Roof"],
            (
                "'Roof' is any of Roof of Home (number 1), Roof of Barn (number 4): name the site"
                " too, or give the number (INVALID_VALUE)"
            ),
        ),
        (["--site", "home"], "there is no site 'home': did you mean 'Home'? (NOT_FOUND)"),
        (
            ["--kind", "wind"],
            (
                "kind must be one of appliance, battery, electric_vehicle, solar_panel, not 'wind'"
                " (UNKNOWN_DEVICE_KIND)"
            ),
        ),
        (
            ["--interval", "decade"],
            (
                "interval must be one of quarter_hour, hour, day, week, month, not 'decade'"
                " (INVALID_VALUE)"
            ),
        ),
        (
            ["--zone", "Nirgends"],
            (
                "zone must be an IANA time zone name such as Europe/Berlin, not 'Nirgends'"
                " (UNKNOWN_TIME_ZONE)"
            ),
        ),
        (
            [],
            (
                "zone must be named with --zone: the devices are in several time zones"
                " (TIME_ZONE_REQUIRED)"
            ),
        ),
        (
            ["--from", "gestern"],
            (
                "from must be a date such as 2026-06-01 or an instant such as"
                " 2026-06-01T12:00+02:00, not 'gestern' (INVALID_VALUE)"
            ),
        ),
        (
            ["--from", "2024-10-27", "--to", "2024-10-26", "--zone", "UTC"],
            (
                "to must be after the start (2024-10-27T00:00:00+00:00), not"
                " 2024-10-26T00:00:00+00:00 (INVALID_VALUE)"
            ),
        ),
        (
            ["--from", "1823-10-27", "--zone", "UTC"],
            "from must be between the years 1900 and 2300, not ",
        ),
    ],
)
def test_what_cannot_be_answered_is_told_in_a_line(url, arguments, message):
    assert refusal("history", "--database", url, *arguments).startswith(f"error: {message}")


def test_too_many_buckets_are_refused(url):
    arguments = ("--from", "2020-01-01", "--to", "2024-01-01", "--interval", "hour")
    error = refusal("history", "--database", url, "--device", "Wall", *arguments)
    assert "of at most 10000 buckets" in error
    assert error.endswith("(TOO_MANY_BUCKETS)\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "--csv"], "for --json, --csv, --plot: give one of them"),
        (["--csv", "--plot", "x.png"], "for --json, --csv, --plot: give one of them"),
        (["--days", "2", "--from", "2024-10-26"], "for --days: goes without --from and --to"),
        (["--to", "2024-10-26"], "for --to: goes with --from"),
        (["--device", "Wall", "--tag", "old"], "for --device: goes without --kind and --tag"),
        (["--days", "0"], "--days"),
    ],
)
def test_options_that_do_not_go_together_are_a_wrong_use(url, arguments, message):
    assert message in words(run("history", "--database", url, *arguments, code=2).stderr)


def test_a_database_that_is_not_there_is_not_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "there is no database" in refusal("history")
    assert list(tmp_path.iterdir()) == []


def test_without_a_range_it_is_the_last_week_from_midnight_until_now(tmp_path):
    url = f"sqlite:///{tmp_path / 'energycore.db'}"
    with ec.connect(url) as energy:
        site = energy.register_site(ec.Site(name="Home", time_zone="Australia/Lord_Howe"))
        energy.register(ec.Appliance(name="Tea", average_power_w=9), site=site)
        before = energy.clock.now()
        buckets = as_json(url)["buckets"]
        after = energy.clock.now()
    instants = [datetime.fromisoformat(bucket["start"]) for bucket in buckets]
    assert {(at.hour, at.minute) for at in instants} == {(0, 0)}
    assert timedelta(days=7) <= before - instants[0] < timedelta(days=8, hours=1)
    end = datetime.fromisoformat(buckets[-1]["end"])
    assert before - timedelta(milliseconds=1) <= end <= after
    assert len(as_json(url, "--days", "1")["buckets"]) == 2


def test_a_plot_is_written_as_the_name_of_its_file_says(url, tmp_path):
    for name, begin in (("out.png", b"\x89PNG\r\n"), ("out.svg", b"<?xml")):
        path = tmp_path / name
        result = run("history", "--database", url, "--site", "Home", *RANGE, "--plot", path)
        assert path.read_bytes().startswith(begin)
        assert result.stdout == ""
        assert result.stderr == f"3 buckets drawn into {path}\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [("out.xyz", "Format 'xyz' is not supported"), ("no/out.png", "no/out.png cannot be written")],
)
def test_a_plot_that_cannot_be_written_is_a_wrong_use(url, tmp_path, name, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ("--device", "Wall", *RANGE, "--plot", name)
    assert message in words(run("history", "--database", url, *arguments, code=2).stderr)
