"""Celery with real workers and beats, on real Redis and RabbitMQ: each tick happens once."""

import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
from celery import Celery

from energycore_django.tasks import BEAT_SCHEDULE, tick, upkeep
from tests.conftest import IN_CI
from tests.django.celery_projects import (
    START,
    advances,
    check_exactly_once,
    clock,
    project_of,
    until,
)
from tests.django.conftest import of_url
from tests.support import rabbitmq, redis
from tests.support.brokers import NoBroker, forget, transport_options

slow = pytest.mark.slow
MINUTE = timedelta(minutes=1)
NOON = START.replace(second=0)


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def broker(request) -> Iterator[str]:
    server = {"redis": redis, "rabbitmq": rabbitmq}[request.param].server
    try:
        with server() as url:
            yield url
    except NoBroker as reason:
        if IN_CI:
            raise
        pytest.skip(str(reason))


@pytest.fixture
def given(broker, postgresql_url):
    """What a project of the test's own is told; its clock stands five minutes after the start."""
    name = f"energycore-test-{uuid.uuid4().hex}"
    yield {
        "name": name,
        "broker": broker,
        "transport_options": transport_options(broker, name),
        "database": {"ENGINE": "django.db.backends.postgresql", **of_url(postgresql_url)},
        "clock": clock(5),
    }
    forget(broker, name)


@pytest.fixture
def project(given, postgresql_url, tmp_path):
    with project_of(postgresql_url, given, tmp_path, tenants=("default", "acme")) as project:
        yield project


def send(project, task, **arguments):
    """Put a task into the queue, as anybody can who knows its name."""
    given = project.given
    with Celery(broker=given["broker"], set_as_current=False) as app:
        app.conf.broker_transport_options = given["transport_options"]
        app.conf.task_default_queue = given["name"]
        return app.send_task(task, kwargs=arguments).id


@slow
def test_with_two_beats_and_two_workers_each_tick_happens_once(project):
    project.given["clock"] = clock(0, speed=120)
    workers = [project.worker(), project.worker()]
    beats = [project.beat(), project.beat()]
    until(lambda: len(advances(project)) >= 8, *workers, *beats)
    for process in (*beats, *workers):
        assert process.stop() == 0, process.said
    ran = sum(worker.said.count("Task energycore.tick") for worker in workers)
    assert ran > len(advances(project))
    check_exactly_once(project)


@slow
def test_a_tick_whose_worker_is_killed_is_delivered_again_and_happens_once(project):
    first = project.worker()
    with project.holding_states():
        sent = send(project, "energycore.tick")
        first.until(project.is_waiting)
        first.kill()
        second = project.worker()
        second.until(lambda: sent in second.said)
    second.until(lambda: advances(project))
    second.until(lambda: f"{sent}] succeeded" in second.said)
    assert second.stop() == 0
    assert advances(project) == [NOON + 5 * MINUTE]
    check_exactly_once(project)


@slow
def test_a_tick_whose_process_is_killed_goes_back_to_the_queue_at_once(project):
    worker = project.worker()
    (child,) = children(worker)
    with project.holding_states():
        sent = send(project, "energycore.tick")
        worker.until(project.is_waiting)
        os.kill(child, signal.SIGKILL)
        worker.until(lambda: worker.said.count(f"Task energycore.tick[{sent}] received") > 1)
    worker.until(lambda: f"{sent}] succeeded" in worker.said)
    assert worker.stop() == 0
    assert advances(project) == [NOON + 5 * MINUTE]
    check_exactly_once(project)


@slow
def test_a_tick_waits_for_a_database_that_is_away(project):
    worker = project.worker()
    project.unreachable()
    send(project, "energycore.tick")
    worker.until(lambda: "Retry in" in worker.said)
    project.reachable()
    worker.until(lambda: advances(project))
    assert worker.stop() == 0
    assert "Traceback" not in worker.said.partition("Retry in")[0]
    check_exactly_once(project)


@slow
def test_tasks_work_for_the_tenant_that_they_are_given(project):
    worker = project.worker()
    send(project, "energycore.tick", tenant="acme")
    worker.until(lambda: advances(project, "acme"))
    send(project, "energycore.upkeep", tenant="acme", retain=False)
    worker.until(lambda: "totals are kept up to" in worker.said)
    assert worker.stop() == 0
    assert advances(project) == []
    kept = project.sql("SELECT tenant_id FROM energycore_rollup WHERE rolled_us IS NOT NULL")
    assert kept == [("acme",)]


def children(process):
    """The processes that a worker runs its tasks in."""
    found = subprocess.run(["pgrep", "-P", str(process.popen.pid)], capture_output=True, text=True)
    return [int(number) for number in found.stdout.split()]


@pytest.mark.parametrize("task", [tick, upkeep], ids=lambda task: task.name)
def test_a_task_is_kept_until_it_is_done_and_says_nothing_but_json(task):
    assert task.acks_late
    assert task.reject_on_worker_lost
    assert task.ignore_result
    assert task.serializer == "json"


def least_s(schedule):
    """The shortest time from one start to the next [s]."""
    if isinstance(schedule, float):
        return schedule
    starts = sorted(60 * hour + minute for hour in schedule.hour for minute in schedule.minute)
    return 60 * min(b - a for a, b in pairwise([*starts, starts[0] + 24 * 60]))


def test_the_beat_starts_tasks_that_are_there_and_lets_none_wait_for_its_successor():
    names = {tick.name, upkeep.name}
    assert {entry["task"] for entry in BEAT_SCHEDULE.values()} == names
    for entry in BEAT_SCHEDULE.values():
        assert 0 < entry["options"]["expires"] < least_s(entry["schedule"])
    assert BEAT_SCHEDULE["energycore.tick"]["schedule"] == 60
