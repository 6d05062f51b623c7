"""Documents are checked once, and what is kept of them is bounded and valid."""

import threading

import pytest
from graphql import GraphQLSchema, OperationType, build_schema

from energycore.graphql.documents import Document, DocumentCache, DocumentRules, Refusal
from energycore.graphql.limits import Limits


def rules(sdl="type Query { a: Int b: Int }", **options):
    return DocumentRules(schema=build_schema(sdl), **options)


@pytest.fixture
def loose():
    return rules()


def test_a_document_seen_before_is_not_parsed_again(loose):
    cache = DocumentCache()
    first = cache.load(loose, "{ a }")
    assert isinstance(first, Document)
    assert cache.load(loose, "{ a }") is first


@pytest.mark.parametrize("source", ["{", "{ }", "{ unknown }", "", "{ a { b } }"])
def test_a_document_that_is_refused_is_not_kept(loose, source):
    cache = DocumentCache()
    assert isinstance(cache.load(loose, source), Refusal)
    assert len(cache) == 0
    assert cache.characters == 0


def test_of_too_many_documents_those_used_longest_ago_go_first(loose):
    cache = DocumentCache(max_documents=2)
    first, second = cache.load(loose, "{ a }"), cache.load(loose, "{ b }")
    assert cache.load(loose, "{ a }") is first
    cache.load(loose, "{ a b }")
    assert len(cache) == 2
    assert cache.load(loose, "{ a }") is first
    assert cache.load(loose, "{ b }") is not second


def test_the_source_of_all_kept_documents_stays_within_the_limit(loose):
    cache = DocumentCache(max_characters=100)
    for length in range(60):
        cache.load(loose, "{ a }" + " " * length)
        assert cache.characters <= 100
    assert 0 < len(cache) < 60


def test_a_document_longer_than_the_whole_cache_pushes_nothing_out(loose):
    cache = DocumentCache(max_characters=20)
    kept = cache.load(loose, "{ a }")
    assert isinstance(cache.load(loose, "{ a }" + " " * 20), Document)
    assert cache.load(loose, "{ a }") is kept
    assert cache.characters == 5


def test_a_document_is_valid_only_under_the_rules_that_it_was_checked_by(loose):
    cache = DocumentCache()
    other = rules("type Query { c: Int }")
    assert isinstance(cache.load(loose, "{ a }"), Document)
    assert isinstance(cache.load(other, "{ a }"), Refusal)


def test_more_tokens_than_allowed_are_a_syntax_error():
    few = rules(limits=Limits(max_tokens=4))
    cache = DocumentCache()
    assert isinstance(cache.load(few, "{ a b }"), Document)
    refusal = cache.load(few, "{ a b a }")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "GRAPHQL_PARSE_FAILED"


def test_more_comments_than_tokens_are_allowed_are_a_syntax_error():
    refusal = DocumentCache().load(rules(limits=Limits(max_tokens=4)), "#\n" * 5 + "{ a }")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "GRAPHQL_PARSE_FAILED"


def test_a_document_nested_without_end_is_refused_and_does_not_exhaust_the_stack():
    deep = rules(
        "type Query { a: Query }", limits=Limits(max_tokens=100_000, max_characters=1_000_000)
    )
    refusal = DocumentCache().load(deep, "{a" * 20_000 + "}" * 20_000)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "GRAPHQL_PARSE_FAILED"


def test_without_introspection_a_misspelt_field_is_refused_without_naming_one_that_exists():
    for introspection in (True, False):
        chosen = rules("type Query { password: Int }", introspection=introspection)
        refusal = DocumentCache().load(chosen, "{ passwort }")
        assert isinstance(refusal, Refusal)
        assert refusal.code == "GRAPHQL_VALIDATION_FAILED"
        assert ("password" in str(refusal.errors)) is introspection


@pytest.mark.parametrize(
    "source", ["{ __schema { types { name } } }", '{ __type(name: "Q") { name } }']
)
def test_introspection_is_refused_where_it_is_switched_off(source):
    cache = DocumentCache()
    assert isinstance(cache.load(rules(), source), Document)
    closed = rules(introspection=False)
    assert isinstance(cache.load(closed, source), Refusal)
    assert isinstance(cache.load(closed, "{ __typename }"), Document)


BOTH = "query Q { a } mutation M { c }"


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        ("{ a }", None, OperationType.QUERY),
        ("query Q { a }", None, OperationType.QUERY),
        ("mutation { c }", None, OperationType.MUTATION),
        (BOTH, "Q", OperationType.QUERY),
        (BOTH, "M", OperationType.MUTATION),
    ],
)
def test_the_operation_type_is_that_of_the_named_or_only_operation(source, name, expected):
    document = DocumentCache().load(rules("type Query { a: Int } type Mutation { c: Int }"), source)
    assert isinstance(document, Document)
    assert document.operation_type(name) is expected


@pytest.mark.parametrize(
    ("source", "name"), [(BOTH, None), (BOTH, "X"), ("{ a }", "X"), ("{ a }", "")]
)
def test_an_operation_that_is_not_there_or_not_clear_is_refused(source, name):
    document = DocumentCache().load(rules("type Query { a: Int } type Mutation { c: Int }"), source)
    assert isinstance(document, Document)
    refusal = document.operation_type(name)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "OPERATION_RESOLUTION_FAILURE"


def test_many_threads_may_use_one_small_cache():
    """Evictions and insertions of eight threads leave the counts exact."""
    cache = DocumentCache(max_documents=5, max_characters=200)
    schema: GraphQLSchema = build_schema("type Query { a: Int b: Int }")
    shared = DocumentRules(schema=schema)
    wrong: list[object] = []

    def work(start):
        for step in range(150):
            loaded = cache.load(shared, "{ a }" + " " * ((start + step) % 17))
            if not isinstance(loaded, Document):
                wrong.append(loaded)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(cache) <= 5
    kept = sum(len(source) for _, source in cache._kept)
    assert cache.characters == kept <= 200
