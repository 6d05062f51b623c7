"""Documents that a server knows by their hash, and servers that serve no others."""

import json
from urllib.parse import urlencode

import pytest

from energycore.errors import InvalidValue
from energycore.graphql import GraphQLEngine, HttpRequest, Limits, TrustedDocuments
from energycore.graphql.trusted import document_id, make_manifest
from tests.http.toy import make_schema

KNOWN = "{ greeting }"
WIDE = "{ " + " ".join(f"a{n}: greeting" for n in range(60)) + " }"


def engine(**options):
    documents = {document_id(text): text for text in (KNOWN, WIDE)}
    return GraphQLEngine(make_schema(), trusted=TrustedDocuments(documents, **options))


def post(engine, **content):
    request = HttpRequest(
        method="POST",
        headers={"content-type": "application/json"},
        body=json.dumps(content).encode(),
    )
    return json.loads(engine.respond(request, "me").body)


def persisted(key):
    return {"persistedQuery": {"version": 1, "sha256Hash": key}}


def code(answer):
    (error,) = answer["errors"]
    return error["extensions"]["code"]


@pytest.mark.parametrize(
    "asked",
    [
        {"extensions": persisted(document_id(KNOWN))},
        {"extensions": persisted(document_id(KNOWN).upper())},
        {"documentId": document_id(KNOWN)},
        {"documentId": f"sha256:{document_id(KNOWN)}"},
        {"query": KNOWN},
        {"query": KNOWN, "extensions": persisted(document_id(KNOWN))},
    ],
)
@pytest.mark.parametrize("enforce", [True, False])
def test_a_known_document_is_served_by_its_id_or_its_text(asked, enforce):
    answer = post(engine(enforce=enforce), **asked)
    assert answer == {"data": {"greeting": "Hello you, me"}}


def test_a_known_document_may_be_asked_for_by_get():
    for fields in (
        {"documentId": document_id(KNOWN)},
        {"extensions": json.dumps(persisted(document_id(KNOWN)))},
    ):
        request = HttpRequest(method="GET", headers={}, query_string=urlencode(fields).encode())
        answer = json.loads(engine(enforce=True).respond(request, "me").body)
        assert answer == {"data": {"greeting": "Hello you, me"}}


@pytest.mark.parametrize("query", ["{ greeting  }", "{ person { name } }", "{"])
def test_another_document_is_refused_only_where_that_is_enforced(query):
    assert code(post(engine(enforce=True), query=query)) == "DOCUMENT_NOT_TRUSTED"
    assert post(engine(), query="{ greeting  }")["data"]


def test_an_id_that_is_not_known_is_refused():
    unknown = document_id("{ person { name } }")
    for chosen in (engine(), engine(enforce=True)):
        answer = post(chosen, extensions=persisted(unknown))
        assert code(answer) == "PERSISTED_QUERY_NOT_FOUND"
    plain = GraphQLEngine(make_schema())
    assert code(post(plain, documentId=unknown)) == "PERSISTED_QUERY_NOT_SUPPORTED"


def test_a_hash_of_another_text_is_refused():
    answer = post(engine(), query=KNOWN, extensions=persisted(document_id(WIDE)))
    assert code(answer) == "PERSISTED_QUERY_MISMATCH"


@pytest.mark.parametrize(
    "asked",
    [
        {"documentId": 1},
        {"extensions": {"persistedQuery": "x"}},
        {"extensions": {"persistedQuery": {}}},
        {"extensions": {}},
        {},
        {"query": 1, "documentId": document_id(KNOWN)},
    ],
)
def test_what_names_no_document_is_a_bad_request(asked):
    assert code(post(engine(), **asked)) == "BAD_REQUEST"


def test_a_trusted_document_may_have_any_form_but_not_any_cost():
    assert code(post(GraphQLEngine(make_schema()), query=WIDE)) == "LIMIT_EXCEEDED"
    assert len(post(engine(), documentId=document_id(WIDE))["data"]) == 60
    cheap = GraphQLEngine(
        make_schema(),
        trusted=TrustedDocuments({document_id(WIDE): WIDE}),
        limits=Limits(max_cost=50),
    )
    assert code(post(cheap, documentId=document_id(WIDE))) == "LIMIT_EXCEEDED"


def test_a_manifest_is_made_of_files_and_read_back(tmp_path):
    (tmp_path / "a.graphql").write_text(KNOWN)
    (tmp_path / "b.graphql").write_text("{ person { name } } # Ö", encoding="utf-8")
    manifest = make_manifest(sorted(tmp_path.glob("*.graphql")), make_schema())
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(manifest))
    trusted = TrustedDocuments.load(file, enforce=True)
    assert trusted.documents == {
        document_id(KNOWN): KNOWN,
        document_id("{ person { name } } # Ö"): "{ person { name } } # Ö",
    }
    assert post(GraphQLEngine(make_schema(), trusted=trusted), query=KNOWN)["data"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"x": 1}', '{"x": "{ a }"}', "[" * 100_000])
def test_a_manifest_that_is_none_is_refused_when_it_is_read(tmp_path, text):
    file = tmp_path / "manifest.json"
    file.write_text(text)
    with pytest.raises(InvalidValue, match=r"manifest|sha256"):
        TrustedDocuments.load(file)


def test_a_manifest_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match="manifest"):
        TrustedDocuments.load(tmp_path / "nothing.json")


@pytest.mark.parametrize("text", ["{", "{ nothing }", "\udcff"])
def test_a_file_without_a_valid_document_makes_no_manifest(tmp_path, text):
    file = tmp_path / "a.graphql"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InvalidValue, match=r"a\.graphql|valid|GraphQL"):
        make_manifest([file], make_schema())
