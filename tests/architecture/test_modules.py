"""Modules and functions stay small enough to be read, and say what they are."""

import ast

import pytest

from tests.support.tree import ROOT, relative, source_modules

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60

# Longer ones, by "src/file.py" or "src/file.py:function": the limit of each and its reason.
LONGER: dict[str, tuple[int, str]] = {}

# These say what they export by being run, or by being read by alembic and Django.
WITHOUT_ALL = (
    "__main__.py",
    "src/energycore/storage/sql/migrations/",
    "src/energycore_django/migrations/",
)

MODULES = pytest.mark.parametrize("path", source_modules(), ids=relative)


def functions(tree):
    return (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def first_line(function):
    """Where the code of a function begins: a long docstring is no fault."""
    described = ast.get_docstring(function) is not None and len(function.body) > 1
    return function.body[1].lineno if described else function.lineno


def sizes(path):
    """Lines of a module and of each function in it, by the name that LONGER uses."""
    text = path.read_text(encoding="utf-8")
    yield relative(path), len(text.splitlines()), MAX_MODULE_LINES
    for function in functions(ast.parse(text)):
        name = f"{relative(path)}:{function.name}"
        yield name, function.end_lineno - first_line(function) + 1, MAX_FUNCTION_LINES


@MODULES
def test_a_module_and_its_functions_fit_on_a_few_screens(path):
    for name, lines, limit in sizes(path):
        allowed, _ = LONGER.get(name, (limit, ""))
        assert lines <= allowed, f"{name} has {lines} lines, the limit is {allowed}: split it"


def test_an_exception_from_the_size_is_still_needed_and_says_why():
    found = {
        name: (lines, limit) for path in source_modules() for name, lines, limit in sizes(path)
    }
    for name, (allowed, reason) in LONGER.items():
        lines, limit = found[name]
        assert limit < lines <= allowed, f"{name} has {lines} lines: take it off the list"
        assert len(reason) > 20, name


@MODULES
def test_a_module_begins_with_a_sentence_that_says_what_it_is(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{relative(path)} has no docstring"
    first = docstring.partition("\n\n")[0].strip()
    assert first.endswith((".", ":")), f"{relative(path)} begins with: {first}"


@MODULES
def test_a_module_lists_what_it_offers_and_offers_what_it_lists(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = listed_names(tree)
    if names is None:
        only_docstring = len(tree.body) == 1
        assert only_docstring or any(part in relative(path) for part in WITHOUT_ALL), (
            f"{relative(path)} has no __all__"
        )
        return
    assert len(names) == len(set(names))
    missing = set(names) - bound_names(tree)
    lazy = any(function.name == "__getattr__" for function in functions(tree))
    assert lazy or not missing, f"{relative(path)} lists {sorted(missing)} and does not define it"


def listed_names(tree):
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__":
            return [name.value for name in ast.walk(node.value) if isinstance(name, ast.Constant)]
    return None


def bound_names(tree):
    """Every name that a module binds anywhere, which is at least those at its top level."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def test_the_packages_say_that_they_are_typed():
    for module in source_modules():
        package = module.relative_to(ROOT / "src").parts[0]
        assert (ROOT / "src" / package / "py.typed").is_file(), package
