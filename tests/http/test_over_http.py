"""Each framework carries requests and responses unchanged, over a real connection."""

import json
import socket
import threading
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from energycore.graphql import graphiql
from energycore.graphql.http import GraphQLEngine
from energycore.graphql.limits import Limits
from tests.http.frameworks import REFUSE_EARLY, TAKE_PIECES
from tests.http.toy import make_schema

NEW = "application/graphql-response+json"


def test_a_query_is_answered_in_the_type_that_was_asked_for(client):
    response = client.post("/graphql", json={"query": "{ greeting }"}, headers={"accept": NEW})
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{NEW}; charset=utf-8"
    assert response.json() == {"data": {"greeting": "Hello you, nobody"}}


def test_the_context_is_made_from_the_request(client):
    headers = {"x-name": "Ada"}
    response = client.post("/graphql", json={"query": "{ greeting }"}, headers=headers)
    assert response.json() == {"data": {"greeting": "Hello you, Ada"}}


def test_a_query_by_get_keeps_its_encoding(client):
    fields = {
        "query": "query ($n: String!) { greeting(name: $n) }",
        "variables": json.dumps({"n": "a+b & \N{SNOWMAN} %"}),
    }
    assert client.get("/graphql", params=fields).json() == {
        "data": {"greeting": "Hello a+b & \N{SNOWMAN} %, nobody"}
    }


@pytest.mark.parametrize(
    ("method", "options", "status", "allow"),
    [
        ("GET", {"params": {"query": 'mutation { rename(name: "x") }'}}, 405, "POST"),
        ("PUT", {}, 405, "GET, HEAD, POST, OPTIONS"),
        ("DELETE", {}, 405, "GET, HEAD, POST, OPTIONS"),
        ("OPTIONS", {}, 204, "GET, HEAD, POST, OPTIONS"),
        ("GET", {}, 400, None),
        ("POST", {}, 415, None),
        ("POST", {"data": {"query": "{ greeting }"}}, 415, None),
        ("POST", {"json": []}, 400, None),
        (
            "POST",
            {"json": {"query": "{ greeting }"}, "headers": {"accept": "text/html"}},
            406,
            None,
        ),
        ("POST", {"json": {"query": "{"}, "headers": {"accept": NEW}}, 400, None),
        ("POST", {"json": {"query": "{"}}, 200, None),
    ],
)
def test_a_request_that_is_not_served_gets_its_status(client, method, options, status, allow):
    response = client.request(method, "/graphql", **options)
    assert (response.status_code, response.headers.get("allow")) == (status, allow)


def test_two_accept_headers_count_as_one_list(client):
    headers = [("accept", NEW), ("accept", "text/html")]
    response = client.post("/graphql", json={"query": "{ greeting }"}, headers=headers)
    assert response.headers["content-type"].startswith(NEW)


def test_head_gets_the_length_of_the_body_without_the_body(client):
    fields = {"query": "{ greeting }"}
    asked, headed = (client.request(m, "/graphql", params=fields) for m in ("GET", "HEAD"))
    assert headed.content == b""
    assert headed.headers["content-length"] == asked.headers["content-length"]


@pytest.mark.parametrize("serve", TAKE_PIECES, indirect=True, scope="session")
def test_a_body_in_pieces_is_put_together(client):
    body = json.dumps({"query": "{ greeting }" + " " * 5_000}).encode()
    pieces = (body[start : start + 100] for start in range(0, len(body), 100))
    headers = {"content-type": "application/json"}
    response = client.post("/graphql", content=pieces, headers=headers)
    assert response.json()["data"] == {"greeting": "Hello you, nobody"}


@pytest.mark.parametrize("query", ["{ greeting }", "{ nonsense }"])
def test_a_body_whose_length_exceeds_the_limit_is_refused(client, query):
    response = client.post("/graphql", json={"query": query + " " * 20_000})
    assert response.status_code == 413
    assert response.json()["errors"][0]["extensions"]["code"] == "CONTENT_TOO_LARGE"


@pytest.mark.parametrize("serve", REFUSE_EARLY, indirect=True, scope="session")
@pytest.mark.parametrize(
    ("announced", "pieces"),
    [
        (b"content-length: 1000000000", []),
        (b"transfer-encoding: chunked", [b"400\r\n" + b" " * 1024 + b"\r\n"] * 30),
    ],
)
def test_a_body_is_refused_as_soon_as_it_must_exceed_the_limit(url, announced, pieces):
    """The client never finishes its body, so the answer can only come before its end."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall(
            b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            + announced
            + b"\r\n\r\n"
        )
        for piece in pieces:
            connection.sendall(piece)
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_fault_is_masked(client, caplog):
    response = client.post("/graphql", json={"query": "{ fault }"})
    assert "swordfish" not in response.text
    error_id = response.json()["errors"][0]["extensions"]["errorId"]
    assert error_id in caplog.text
    # Which fault and where, but not what it said.
    assert "RuntimeError" in caplog.text
    assert "tests.http.toy" in caplog.text
    assert "swordfish" not in caplog.text


def test_requests_in_parallel_get_their_own_answers(url):
    """Each of eight clients keeps its connection and sees only answers to its own questions."""
    wrong = []

    def work(number):
        with httpx.Client(base_url=url, headers={"x-name": str(number)}) as client:
            for step in range(20):
                query = f'{{ greeting(name: "{step}") double(number: {step}) }}'
                data = client.post("/graphql", json={"query": query}).json()["data"]
                if data != {"greeting": f"Hello {step}, {number}", "double": 2 * step}:
                    wrong.append(data)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_two_applications_in_one_process_know_nothing_of_each_other(serve, client):
    small = GraphQLEngine(make_schema(), limits=Limits(max_body_bytes=40), introspection=False)
    with serve(small) as other:
        long = {"query": "{ greeting }" + " " * 40}
        assert httpx.post(f"{other}/graphql", json=long).status_code == 413
        assert client.post("/graphql", json=long).status_code == 200
    assert client.post("/graphql", json=long).status_code == 200


def test_the_graphiql_page_finds_its_assets_and_its_endpoint(client, url):
    response = client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == graphiql.CONTENT_SECURITY_POLICY
    assert 'data-endpoint="graphql"' in response.text
    assert 'data-example="{ greeting }"' in response.text
    for name in graphiql.ASSET_NAMES:
        assert f"graphiql-assets/{name}" in response.text
        found = client.get(urljoin(url + "/", f"graphiql-assets/{name}"))
        assert found.status_code == 200
        assert (found.headers["content-type"], found.content) == graphiql.asset(name)


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fhttp.py", "graphiql.LICENSE.txt"])
def test_nothing_else_is_served_as_an_asset(client, name):
    assert client.get(f"/graphiql-assets/{name}").status_code == 404
