"""One Python name as Markdown: its signature, its docstring, and the members of a class."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import Enum
from types import FunctionType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import attrs
import numpy as np

from energycore.devices.base import Device
from energycore.devices.fields import ABOUT
from tools.reference_pages.markdown import first_sentence, table

__all__ = ["attribute_docstrings", "entry"]

WIDTH = 96
PREFIXES = re.compile(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])")
ARRAY = re.compile(r"ndarray\[tuple\[[^]]*], dtype\[(\w+)]]")
SECTION = re.compile(r"^(Args|Returns|Raises):\n", re.MULTILINE)
PLAIN = {type(None): "None", None: "None", ...: "..."}


Behind = Callable[[str], Callable[..., Any] | None]


def entry(thing: Any, name: str, module: str = "", behind: Behind = lambda method: None) -> str:
    """A heading, and all that is to be said about the thing.

    Args:
        thing: a function or a class.
        name: what it is called.
        module: where it is imported from; empty for the top of energycore.
        behind: the function that does the work of a method, by the method's name, whose docstring
            says what the arguments are and what is raised.
    """
    parts = [f"### {name}"]
    if module:
        parts.append(f"In `{module}`.")
    if isinstance(thing, type):
        parts += [*_class(thing, name), *_methods(thing, name, behind)]
    else:
        parts += [_signature(thing, name), *_docstring(thing)]
    return "\n\n".join(parts)


def _class(kind: type, name: str) -> Iterator[str]:
    if attrs.has(kind) and "__init__" in vars(kind):
        yield _signature(kind, name)
    yield from _docstring(kind)
    if rows := [*_values(kind), *_properties(kind)]:
        yield table(("attribute", "type", "meaning"), rows)


def _methods(kind: type, name: str, behind: Behind) -> Iterator[str]:
    for method_name, method in vars(kind).items():
        function = getattr(method, "__func__", method)
        if isinstance(function, FunctionType) and not method_name.startswith("_"):
            yield f"#### {name}.{method_name}"
            yield _signature(getattr(kind, method_name), method_name)
            yield from _docstring(function)
            if (working := behind(method_name)) is not None:
                yield from _docstring(working, [*inspect.signature(function).parameters])


def _values(kind: type) -> Iterator[tuple[str, str, str]]:
    """The members of an enum, or the fields of a value that say what they mean."""
    meanings: dict[str, str] = {}
    for parent in reversed(kind.__mro__):
        if parent.__module__.startswith("energycore"):
            meanings |= attribute_docstrings(parent)
    if issubclass(kind, Enum):
        for member in kind:
            yield f"`{member.name}`", f"`{member.value!r}`", meanings.get(member.name, "")
    elif attrs.has(kind) and "Args:" not in (kind.__doc__ or ""):
        # The ratings that kinds share are said once, at the class that declares them.
        own_only = issubclass(kind, Device)
        for field in attrs.fields(kind):
            meaning = meanings.get(field.name) or str(field.metadata.get(ABOUT, ""))
            if meaning and not (own_only and field.inherited):
                yield f"`{field.name}`", f"`{_type(field.type)}`", meaning


def _properties(kind: type) -> Iterator[tuple[str, str, str]]:
    for name, thing in vars(kind).items():
        getter = thing.fget if isinstance(thing, property) else None
        if getter is not None and not name.startswith("_"):
            returned = inspect.signature(getter).return_annotation
            yield f"`{name}`", f"`{_type(returned)}`", first_sentence(getter)


def attribute_docstrings(kind: type) -> Mapping[str, str]:
    """What stands under the fields of a class, by name."""
    (declared,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(declared, ast.ClassDef)
    found = {}
    for field, below in zip(declared.body, declared.body[1:], strict=False):
        target: ast.expr | None = None
        if isinstance(field, ast.AnnAssign | ast.Assign):
            target = field.target if isinstance(field, ast.AnnAssign) else field.targets[0]
        if (
            isinstance(target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            found[target.id] = " ".join(str(below.value.value).split())
    return found


def _signature(thing: Any, name: str) -> str:
    """A block with the call, one argument a line where it is long."""
    signature = inspect.signature(thing)
    arguments = [*_arguments(signature)]
    returned = signature.return_annotation
    has_result = not isinstance(thing, type) and returned is not inspect.Signature.empty
    result = f" -> {_type(returned)}" if has_result else ""
    call = f"{name}({', '.join(arguments)}){result}"
    if len(call) > WIDTH:
        call = f"{name}(\n    " + ",\n    ".join(arguments) + f",\n){result}"
    return f"```text\n{call}\n```"


def _arguments(signature: inspect.Signature) -> Iterator[str]:
    by_name_only = False
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not by_name_only:
            by_name_only = True
            yield "*"
        text = parameter.name
        if parameter.annotation is not parameter.empty:
            text += f": {_type(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {_value(parameter.default)}"
        yield text


def _type(annotation: Any) -> str:
    """A type as one writes it, without the modules that its parts come from."""
    origin, parts = get_origin(annotation), [*map(_type, get_args(annotation))]
    if isinstance(annotation, str):
        text = ARRAY.sub(r"array of \1", PREFIXES.sub("", annotation))
    elif isinstance(annotation, list):
        text = f"[{', '.join(map(_type, annotation))}]"
    elif annotation in PLAIN:
        text = PLAIN[annotation]
    elif origin is Annotated:
        # What is no unit, such as a dependency, is not for readers.
        symbol = getattr(annotation.__metadata__[0], "symbol", "1")
        text = parts[0] if symbol == "1" else f"{parts[0]} [{symbol}]"
    elif origin in (Union, UnionType):
        text = " | ".join(map(_type, get_args(annotation)))
    elif origin is np.ndarray:
        text = f"array of {_type(get_args(get_args(annotation)[1])[0])}"
    elif origin is Literal:
        text = " | ".join(map(_value, get_args(annotation)))
    elif origin is not None:
        text = f"{_name(origin)}[{', '.join(parts)}]"
    else:
        text = _name(annotation)
    return text


def _name(thing: Any) -> str:
    return str(getattr(thing, "__name__", None) or thing)


def _value(default: Any) -> str:
    if isinstance(default, Enum):
        return f"{type(default).__name__}.{default.name}"
    if attrs.has(type(default)) and default == type(default)():
        return f"{type(default).__name__}()"
    # A function shows where it lies in memory.
    is_untold = default is attrs.NOTHING or isinstance(default, FunctionType)
    return PREFIXES.sub("", "..." if is_untold else repr(default))


def _docstring(thing: Any, names: Collection[str] | None = None) -> Iterator[str]:
    """The paragraphs of a docstring, and its sections as lists.

    With `names` only its sections, and of the arguments those of these names.
    """
    about, *sections = SECTION.split(inspect.getdoc(thing) or "")
    if names is None:
        yield from (" ".join(part.split()) for part in about.split("\n\n") if part.strip())
    for title, text in zip(sections[::2], sections[1::2], strict=True):
        body = textwrap.dedent(text).strip()
        if title == "Returns":
            yield f"Returns: {' '.join(body.split())}"
        else:
            kept = [*_items(body, names if title == "Args" else None)]
            yield from (
                ["Arguments:" if title == "Args" else "Raises:", "\n".join(kept)] * bool(kept)
            )


def _items(body: str, kept: Collection[str] | None) -> Iterator[str]:
    """Lines of `name: meaning`, each with the indented ones below it."""
    for item in re.split(r"\n(?=\S)", body):
        names, _, meaning = item.partition(":")
        if kept is None or names in kept:
            listed = ", ".join(f"`{name.strip()}`" for name in names.split(","))
            yield f"- {listed}: {' '.join(meaning.split())}"
