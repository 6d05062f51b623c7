"""The engine answers each request as GraphQL over HTTP asks, and tells nobody its secrets."""

import json
import logging
import subprocess
import sys
from urllib.parse import urlencode

import pytest
from attrs import evolve
from graphql import build_schema

from energycore.errors import NotFound
from energycore.graphql.documents import DocumentCache
from energycore.graphql.http import GraphQLEngine, HttpRequest
from energycore.graphql.limits import Limits
from tests.http.toy import make_schema

BOTH_TYPES = ["application/json", "application/graphql-response+json"]
NEW = {"accept": "application/graphql-response+json"}


@pytest.fixture
def engine():
    return GraphQLEngine(make_schema(), new_error_id=iter(["first", "second"]).__next__)


def post(content, **headers):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest(
        method="POST", headers={"content-type": "application/json", **given}, body=body
    )


def get(method="GET", accept="*/*", **fields):
    return HttpRequest(
        method=method, headers={"accept": accept}, query_string=urlencode(fields).encode()
    )


def answer(engine, request, context="me"):
    response = engine.respond(request, context)
    return response.status, json.loads(response.body)


def ask(engine, query, variables=None, **options):
    return answer(engine, post({"query": query, "variables": variables}, **NEW, **options))


def only_error(answered):
    status, content = answered
    (error,) = content["errors"]
    return status, error["extensions"]["code"], error["message"]


@pytest.mark.parametrize("media_type", BOTH_TYPES)
def test_a_query_is_answered_with_its_data_in_the_type_that_was_asked_for(engine, media_type):
    request = post({"query": "{ greeting }"}, accept=media_type)
    response = engine.respond(request, "me")
    assert response.status == 200
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.headers["content-length"] == str(len(response.body))
    assert json.loads(response.body) == {"data": {"greeting": "Hello you, me"}}


def test_variables_and_the_operation_name_reach_the_execution(engine):
    query = "query A($n: String!) { greeting(name: $n) } query B { person { name } }"
    content = {"query": query, "operationName": "A", "variables": {"n": "\N{SNOWMAN}"}}
    assert answer(engine, post(content)) == (200, {"data": {"greeting": "Hello \N{SNOWMAN}, me"}})


def test_a_query_may_come_by_get(engine):
    request = get(
        query="query Q($n: String!) { greeting(name: $n) }",
        variables='{"n": "you & me"}',
        operationName="Q",
        extensions="{}",
    )
    assert answer(engine, request) == (200, {"data": {"greeting": "Hello you & me, me"}})


@pytest.mark.parametrize("accept", BOTH_TYPES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_mutation_by_get_is_refused_and_not_executed(engine, method, accept):
    response = engine.respond(get(method, accept, query='mutation { rename(name: "x") }'), None)
    assert response.status == 405
    assert response.headers["allow"] == "POST"
    assert b"data" not in response.body


def test_a_mutation_by_post_is_executed(engine):
    assert ask(engine, 'mutation { rename(name: "x") }') == (200, {"data": {"rename": "x"}})


def test_the_operation_that_is_named_decides_whether_get_will_do(engine):
    both = "query Q { greeting } mutation M { rename(name: 1) }".replace("1", '"x"')
    assert answer(engine, get(query=both, operationName="Q"))[0] == 200
    assert answer(engine, get(query=both, operationName="M"))[0] == 405


def test_a_subscription_is_refused():
    schema = build_schema("type Query { a: Int } type Subscription { b: Int }")
    engine = GraphQLEngine(schema)
    assert only_error(ask(engine, "subscription { b }"))[:2] == (400, "BAD_REQUEST")


def test_head_gets_the_headers_of_get_and_no_body(engine):
    asked = engine.respond(get(query="{ greeting }"), None)
    headed = engine.respond(get("HEAD", query="{ greeting }"), None)
    assert (headed.status, headed.headers, headed.body) == (200, asked.headers, b"")


def test_options_names_the_methods(engine):
    response = engine.respond(HttpRequest(method="OPTIONS", headers={}), None)
    assert (response.status, response.body) == (204, b"")
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "QUERY"])
def test_another_method_is_refused_with_those_that_are_served(engine, method):
    response = engine.respond(HttpRequest(method=method, headers={}), None)
    assert response.status == 405
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize(
    "request_",
    [
        post({"query": "{ greeting }"}, accept="text/html"),
        get(accept="text/html", query="{ greeting }"),
    ],
)
def test_a_client_that_takes_no_json_is_refused(engine, request_):
    assert only_error(answer(engine, request_))[:2] == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/json; charset=utf-16"},
        {},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_a_body_that_is_not_plain_json_is_refused(engine, headers):
    """A form can be sent from any web page; JSON needs the consent of this server first."""
    body = b'{"query": "{ greeting }"}'
    request = HttpRequest(method="POST", headers=headers, body=body)
    assert only_error(answer(engine, request))[:2] == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("accept", BOTH_TYPES)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b'{"query": "{ greeting }", "variables": {"x": NaN}}',
        b'"{ greeting }"',
        b"[]",
        b"null",
        [{"query": "{ greeting }"}],
        {},
        {"query": None},
        {"query": 1},
        {"query": ["{ greeting }"]},
        {"query": "{ greeting }", "variables": "{}"},
        {"query": "{ greeting }", "variables": []},
        {"query": "{ greeting }", "operationName": 1},
        {"query": "{ greeting }", "extensions": []},
        {"query": "{ greeting }", "extensions": "x"},
    ],
)
def test_what_is_no_graphql_request_gets_400_in_either_type(engine, content, accept):
    answered = answer(engine, post(content, accept=accept))
    assert only_error(answered)[:2] == (400, "BAD_REQUEST")
    assert "data" not in answered[1]


@pytest.mark.parametrize(
    "query_string",
    [
        b"",
        b"variables={}",
        b"query={greeting}&variables={",
        b"query={greeting}&variables=1",
        b"query={greeting}&extensions=[]",
        b"query={greeting}&query={person{name}}",
        b"query=%ff",
        b"query=\xff",
        b"&".join([b"a=1"] * 30),
    ],
)
def test_a_query_string_that_is_not_clear_gets_400(engine, query_string):
    request = HttpRequest(method="GET", headers={}, query_string=query_string)
    assert only_error(answer(engine, request))[:2] == (400, "BAD_REQUEST")


def test_parameters_that_are_null_are_as_good_as_absent(engine):
    content = {"query": "{ greeting }", "variables": None, "operationName": None}
    assert answer(engine, post({**content, "extensions": None}))[0] == 200


def test_a_body_of_just_the_limit_is_read_and_a_longer_one_is_not():
    body = b'{"query": "{ greeting }"}'
    engine = GraphQLEngine(make_schema(), limits=Limits(max_body_bytes=len(body)))
    assert answer(engine, post(body))[0] == 200
    assert only_error(answer(engine, post(body + b" ")))[:2] == (413, "CONTENT_TOO_LARGE")


def test_a_query_string_beyond_the_limit_is_refused():
    engine = GraphQLEngine(make_schema(), limits=Limits(max_body_bytes=50))
    assert only_error(answer(engine, get(query="{ greeting }" + " " * 50)))[0] == 414


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ pick(one: {}) }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query ($n: Int!) { double(number: $n) }"}, "BAD_USER_INPUT"),
        (
            {"query": "query ($n: Int!) { double(number: $n) }", "variables": {"n": "x"}},
            "BAD_USER_INPUT",
        ),
        (
            {
                "query": "query ($o: One!) { pick(one: $o) }",
                "variables": {"o": {"first": "a", "second": 1}},
            },
            "BAD_USER_INPUT",
        ),
        ({"query": "query A { greeting } query B { greeting }"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "{ greeting }", "operationName": "A"}, "OPERATION_RESOLUTION_FAILURE"),
    ],
)
def test_an_error_before_the_first_field_has_a_code_and_the_status_of_its_type(
    engine, content, code
):
    """application/json keeps 200, by which its clients know that GraphQL has answered."""
    for accept, status in zip(BOTH_TYPES, [200, 400], strict=True):
        answered = answer(engine, post(content, accept=accept))
        assert only_error(answered)[:2] == (status, code)
        assert "data" not in answered[1]


def test_a_value_that_makes_an_argument_wrong_is_the_fault_of_the_client(engine):
    query = "query ($n: Int = 1) { double(number: $n) }"
    status, content = ask(engine, query, {"n": None})
    assert (status, content["data"]) == (200, {"double": None})
    assert content["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert content["errors"][0]["path"] == ["double"]


def test_what_a_scalar_refuses_is_the_fault_of_the_client(engine):
    status, code, message = only_error(
        ask(engine, "query ($e: Even) { even(value: $e) }", {"e": 3})
    )
    assert (status, code) == (400, "BAD_USER_INPUT")
    assert "this is not even" in message


@pytest.mark.parametrize("media_type", BOTH_TYPES)
def test_a_fault_is_masked_and_logged_under_the_identifier_that_the_client_gets(
    engine, caplog, media_type
):
    response = engine.respond(post({"query": "{ fault greeting }"}, accept=media_type), "me")
    assert response.status == 200
    assert json.loads(response.body) == {
        "data": {"fault": None, "greeting": "Hello you, me"},
        "errors": [
            {
                "message": "Internal error",
                "locations": [{"line": 1, "column": 3}],
                "path": ["fault"],
                "extensions": {"code": "INTERNAL_ERROR", "errorId": "first"},
            }
        ],
    }
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.name == "energycore.graphql"
    assert record.getMessage().startswith(
        "GraphQL fault first at fault: builtins.RuntimeError\n  graphql.execution"
    )
    assert "\n  tests.http.toy:" in record.getMessage()
    assert record.exc_info is None
    assert "swordfish" not in caplog.text


def test_what_an_exception_says_is_logged_only_where_that_is_switched_on(caplog):
    ask(GraphQLEngine(make_schema(), log_details=True), "{ fault }")
    assert "swordfish" in caplog.text


@pytest.mark.parametrize(
    "query",
    [
        "{ required }",
        "{ shouted }",
        "{ people { broken } }",
        "query ($e: Even) { even(value: $e) }",
    ],
)
def test_no_text_of_a_fault_reaches_the_client(engine, caplog, query):
    variables = {"e": "defect"} if "$e" in query else None
    response = engine.respond(post({"query": query, "variables": variables}, **NEW), None)
    errors = json.loads(response.body)["errors"]
    assert {error["message"] for error in errors} == {"Internal error"}
    assert b"swordfish" not in response.body
    assert b"password" not in response.body
    assert caplog.records


def test_a_fault_of_a_required_field_leaves_data_null_with_status_200(engine):
    status, content = ask(engine, "{ required }")
    assert status == 200
    assert content["data"] is None


def test_the_same_fault_in_each_item_of_a_list_is_logged_once(engine, caplog):
    _, content = ask(engine, "{ faults(count: 50) { broken } again: faults { broken } }")
    assert len(content["errors"]) == 20
    assert content["extensions"] == {"omittedErrors": 33}
    assert {error["extensions"]["errorId"] for error in content["errors"]} == {"first"}
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "GraphQL fault first at faults.broken",
        "GraphQL fault first at again.broken",
    ]


def test_two_responses_have_different_identifiers(engine):
    identifiers = [
        ask(engine, "{ fault }")[1]["errors"][0]["extensions"]["errorId"] for _ in range(2)
    ]
    assert identifiers == ["first", "second"]


def test_an_error_of_energycore_keeps_its_message_and_code(engine, caplog):
    status, content = ask(engine, "{ refused }")
    assert status == 200
    (error,) = content["errors"]
    assert error["message"] == "another device of the site is called Roof"
    assert error["extensions"] == {"code": "NAME_TAKEN"}
    assert not caplog.records


def test_a_graphql_error_that_a_resolver_raises_with_a_code_is_passed_on(engine):
    (error,) = ask(engine, "{ stated }")[1]["errors"]
    assert error["message"] == "said on purpose"
    assert error["extensions"] == {"code": "ON_PURPOSE", "hint": 1}


def test_an_asynchronous_resolver_is_a_fault_and_never_a_null(caplog):
    schema = build_schema("type Query { a: Inner } type Inner { b: Int }")
    assert schema.query_type is not None

    async def resolve(_root, _info):
        raise AssertionError("nobody awaits this")

    schema.query_type.fields["a"].resolve = resolve
    _, code, _ = only_error(ask(GraphQLEngine(schema, log_details=True), "{ a { b } }"))
    assert code == "INTERNAL_ERROR"
    assert "a resolver must be synchronous" in caplog.text


def test_data_that_cannot_be_written_is_a_fault(engine, caplog):
    schema = make_schema()
    assert schema.query_type is not None
    schema.query_type.fields["anything"].resolve = lambda *_: {1, 2}
    engine = GraphQLEngine(schema)
    assert only_error(ask(engine, "{ anything }"))[:2] == (500, "INTERNAL_ERROR")
    assert "TypeError" in caplog.text


def test_a_number_beyond_64_bits_is_written_and_read_exactly(engine):
    query = "query ($v: Anything) { huge anything(value: $v) }"
    _, content = ask(engine, query, {"v": 2**65})
    assert content["data"] == {"huge": 2**70, "anything": 2**65}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ greating }", None),
        ("{ pick(one: {frist: 1}) }", None),
        ("query ($o: One!) { pick(one: $o) }", {"o": {"frist": 1}}),
    ],
)
def test_a_suggestion_is_made_where_the_schema_may_be_asked_for(query, variables):
    for introspection in (True, False):
        engine = GraphQLEngine(make_schema(), introspection=introspection)
        _, content = ask(engine, query, variables)
        assert content["errors"]
        assert ("Did you mean" in json.dumps(content)) is introspection


def test_a_browser_without_a_query_is_told_how_to_ask(engine):
    bare = only_error(answer(engine, get(accept="text/html,*/*;q=0.8")))
    assert bare == (
        400,
        "BAD_REQUEST",
        "There is no query: send one by POST as JSON in the parameter query.",
    )
    page = evolve(get(accept="text/html,*/*;q=0.8"), graphiql="/")
    assert only_error(answer(engine, page))[2].endswith(", or open GraphiQL at / in a browser.")


def test_introspection_can_be_switched_off():
    query = "{ __schema { __typename } }"
    assert ask(GraphQLEngine(make_schema()), query)[0] == 200
    closed = GraphQLEngine(make_schema(), introspection=False)
    assert only_error(ask(closed, query))[:2] == (400, "GRAPHQL_VALIDATION_FAILED")


def test_a_document_with_too_many_tokens_is_refused():
    engine = GraphQLEngine(make_schema(), limits=Limits(max_tokens=10))
    refused = only_error(ask(engine, "{ " + "greeting " * 10 + "}"))
    assert refused[:2] == (400, "GRAPHQL_PARSE_FAILED")


def test_engines_that_share_a_cache_do_not_share_what_is_valid():
    cache = DocumentCache()
    one = GraphQLEngine(build_schema("type Query { a: Int }"), documents=cache)
    other = GraphQLEngine(build_schema("type Query { b: Int }"), documents=cache)
    assert ask(one, "{ a }")[0] == 200
    assert ask(other, "{ a }")[0] == 400
    assert len(cache) == 1


def test_a_schema_that_is_not_valid_is_refused_at_once():
    with pytest.raises(TypeError, match="Query root type must be provided"):
        GraphQLEngine(build_schema("type A { b: Int }"))


def test_a_context_that_could_not_be_made_is_reported_like_an_error_of_a_field(engine, caplog):
    expected = engine.fail(post({}, **NEW), NotFound("tenant", "acme"))
    assert expected.status == 400
    assert json.loads(expected.body)["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    fault = engine.fail(post({}, **NEW), RuntimeError("the password is swordfish"))
    assert fault.status == 500
    assert b"swordfish" not in fault.body
    assert "RuntimeError" in caplog.text
    assert "swordfish" not in caplog.text


WITHOUT_ORJSON = """
import sys
sys.modules["orjson"] = None
from graphql import build_schema
from energycore.graphql.http import GraphQLEngine, HttpRequest
schema = build_schema("scalar Any type Query { any: Any }")
schema.query_type.fields["any"].resolve = lambda *_: [2**70, float("nan"), "\\u2603", 0.1]
request = HttpRequest(
    method="POST",
    headers={"content-type": "application/json"},
    body=b'{"query": "{ any }"}',
)
sys.stdout.buffer.write(GraphQLEngine(schema).respond(request, None).body)
"""


def test_without_orjson_the_answer_means_the_same():
    answers = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        for program in (WITHOUT_ORJSON, WITHOUT_ORJSON.replace('sys.modules["orjson"] = None', ""))
    ]
    for text in answers:
        assert json.loads(text) == {"data": {"any": [2**70, None, "\N{SNOWMAN}", 0.1]}}
