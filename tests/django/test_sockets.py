"""What only Django has to prove of sockets: middleware, hosts, connections, commits."""

import contextlib
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.core.checks import run_checks
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connections, transaction
from django.test import Client, override_settings
from websockets.exceptions import InvalidStatus

from energycore.devices.kinds.solar_panel import SolarPanel
from energycore.protocols.channel import Change
from energycore_django.access import energy
from energycore_django.asgi import CONNECTION_INIT, websockets
from tests.django.conftest import database
from tests.http.frameworks import asgi_server
from tests.live.clients import raw

SECRET = "only for this test"
NAMES = "{ devices { nodes { name } } }"


@pytest.fixture
def file(tmp_path):
    with database("default", NAME=str(tmp_path / "project.db")):
        call_command("migrate", database="default", verbosity=0)
        yield
        connections.close_all()


@contextlib.contextmanager
def served(**options):
    app = websockets(get_asgi_application(), path="/energy/graphql", **options)
    with asgi_server(app, ws="auto", lifespan="off") as url:
        yield url


def socket_of(url):
    return url.replace("http", "ws", 1) + "/energy/graphql"


def anyone_with_a_token(request):
    if request.META.get(CONNECTION_INIT, {}).get("token") != SECRET:
        raise PermissionDenied("no token")


def fails(_request):
    raise RuntimeError(SECRET)


def test_a_session_of_the_project_is_known_on_a_socket(file):
    User.objects.create_user("boss", password=SECRET, is_staff=True)
    User.objects.create_user("guest", password=SECRET)
    with served() as url:
        for name, code in (("boss", None), ("guest", 4403), (None, 4403)):
            browser = Client()
            if name is not None:
                assert browser.login(username=name, password=SECRET)
            cookie = "; ".join(f"{key}={m.value}" for key, m in browser.cookies.items())
            with raw(socket_of(url), additional_headers={"cookie": cookie}) as client:
                client.send("connection_init")
                if code is None:
                    assert client.next() == {"type": "connection_ack"}
                else:
                    assert client.closed()[0] == code


@override_settings(ENERGYCORE={"AUTHORIZE": anyone_with_a_token})
def test_a_hook_sees_the_payload_of_connection_init(file):
    with served() as url:
        with raw(socket_of(url)) as client:
            client.init(token=SECRET)
        with raw(socket_of(url)) as client:
            client.send("connection_init", payload={"token": "other"})
            assert client.closed() == (4403, "no token")


@override_settings(ENERGYCORE={"AUTHORIZE": fails})
def test_a_hook_that_fails_tells_nothing(file):
    with served() as url, raw(socket_of(url)) as client:
        client.send("connection_init")
        assert client.closed() == (4500, "Internal server error")


ANYONE = {"AUTHORIZE": "energycore_django.permissions.anyone"}


@override_settings(ENERGYCORE=ANYONE, ALLOWED_HOSTS=["energy.example"])
def test_a_host_that_is_not_the_projects_is_refused(file):
    with served() as url, raw(socket_of(url)) as client:
        client.send("connection_init")
        assert client.closed()[0] == 4403


@override_settings(ENERGYCORE=ANYONE, SECURE_SSL_REDIRECT=True)
def test_a_client_whom_the_middleware_sends_elsewhere_is_refused(file):
    with served() as url, raw(socket_of(url)) as client:
        client.send("connection_init")
        assert client.closed() == (4403, "permission denied")


@override_settings(ENERGYCORE=ANYONE)
def test_requests_go_on_to_django_and_sockets_elsewhere_are_refused(file):
    with served() as url:
        import httpx

        assert httpx.get(f"{url}/admin/login/").status_code == 200
        for path in ("/", "/energy", "/energy/graphql/"):
            with pytest.raises(InvalidStatus), raw(url.replace("http", "ws", 1) + path):
                pass


@override_settings(ENERGYCORE=ANYONE, ROOT_URLCONF="energycore_django.urls")
def test_the_sockets_are_where_the_urls_put_graphql(file):
    app = websockets(get_asgi_application())
    with asgi_server(app, ws="auto", lifespan="off") as url:
        with raw(url.replace("http", "ws", 1) + "/graphql") as client:
            client.init()


@override_settings(ENERGYCORE=ANYONE | {"SOCKETS": False})
def test_sockets_can_be_switched_off(file):
    with served() as url, pytest.raises(InvalidStatus), raw(socket_of(url)):
        pass


@override_settings(ENERGYCORE=ANYONE)
def test_a_connection_that_the_database_has_closed_is_replaced(file):
    energy().register(SolarPanel(name="Roof", rated_power_w=1.0))
    with served(max_threads=1) as url, raw(socket_of(url)) as client:
        client.init()
        for _ in range(3):
            client.subscribe(NAMES)
            message = client.next()
            assert message["payload"]["data"]["devices"]["nodes"] == [{"name": "Roof"}]
            client.next()


def test_a_change_is_told_after_the_outermost_block_and_never_if_that_is_rolled_back(file):
    own = energy()
    heard: list[Change] = []
    assert own.services.channel is not None
    listening = own.services.channel.subscribe("default", heard.append)
    panel = partial(SolarPanel, rated_power_w=1.0)
    with transaction.atomic():
        first = own.register(panel(name="Roof"))
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            own.register(panel(name="Shed"))
            raise ZeroDivisionError
        assert heard == []
    assert heard == [Change("default", frozenset({first.id}))]
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        own.register(panel(name="Hut"))
        raise ZeroDivisionError
    assert len(heard) == 1
    listening.close()


def warnings():
    return [message for message in run_checks() if message.id == "energycore.W007"]


def test_a_check_says_which_limits_are_off():
    assert warnings() == []
    limits = {"MAX_SOCKETS": None, "ALLOWED_ORIGINS": ["*"]}
    with override_settings(ENERGYCORE={"SOCKETS": limits}):
        (warning,) = warnings()
        assert "MAX_SOCKETS, ALLOWED_ORIGINS" in warning.msg
    with override_settings(ENERGYCORE={"SOCKETS": False}):
        assert warnings() == []


@pytest.mark.parametrize(
    "own",
    [
        {"SOCKETS": {"MAX_SOCKETS": 0}},
        {"SOCKETS": {"MAXSOCKETS": 1}},
        {"SOCKETS": True},
        {"CHANNEL": "kafka://host"},
        {"CHANNEL": "no.such.module"},
    ],
)
def test_a_setting_that_cannot_be_meant_is_an_error(own):
    with override_settings(ENERGYCORE=own):
        assert "energycore.E002" in {message.id for message in run_checks()}
