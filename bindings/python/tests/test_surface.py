"""What the module shows: signatures, docstrings, versions. Stubs, source and the built module say the same."""

import ast
import enum
import inspect
import pathlib
import re
from importlib import metadata

import pytest
from conftest import ROOT

import hirenow
from hirenow import _hirenow, aio, testing

STUB = ast.parse((pathlib.Path(hirenow.__file__).parent / "_hirenow.pyi").read_text()
                 if (pathlib.Path(hirenow.__file__).parent / "_hirenow.pyi").exists()
                 else (ROOT / "bindings/python/hirenow/_hirenow.pyi").read_text())


def stub_functions():
    for node in STUB.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, getattr(_hirenow, node.name), node
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and member.decorator_list != [] and \
                        getattr(member.decorator_list[0], "id", "") == "property":
                    continue
                if isinstance(member, ast.FunctionDef) and not (member.name.startswith("__")
                                                                and member.name != "__init__"):
                    yield f"{node.name}.{member.name}", getattr(getattr(_hirenow, node.name), member.name), member


def arguments_of_stub(node):
    a = node.args
    by_place = [x.arg for x in a.posonlyargs + a.args]
    defaults = [None] * (len(by_place) - len(a.defaults)) + list(a.defaults)
    optional = {n for n, d in zip(by_place, defaults) if d is not None}
    optional |= {x.arg for x, d in zip(a.kwonlyargs, a.kw_defaults) if d is not None}
    return by_place, [x.arg for x in a.kwonlyargs], optional, bool(a.posonlyargs)


def arguments_at_run_time(function):
    """From the signature that pybind11 writes into the docstring."""
    inside = re.match(r"\w+\((.*)\) -> ", function.__doc__.partition("\n")[0]).group(1)
    parts, depth, start = [], 0, 0
    for n, c in enumerate(inside + ","):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            parts.append(inside[start:n].strip())
            start = n + 1
    by_place, by_name, optional = [], [], set()
    into = by_place
    for part in filter(None, parts):
        if part == "*":
            into = by_name
            continue
        name, _, rest = part.partition(":")
        into.append(name)
        if "=" in rest:
            optional.add(name)
    return by_place, by_name, optional


@pytest.mark.parametrize("name,function,node", list(stub_functions()), ids=[n for n, _, _ in stub_functions()])
def test_the_stub_has_the_arguments_of_the_built_module(name, function, node):
    places, names, optional, only_by_place = arguments_of_stub(node)
    real_places, real_names, real_optional = arguments_at_run_time(function)
    if only_by_place or all(n.startswith("arg") for n in real_places if n != "self"):
        # The halves behind `Engine` and `Dispatcher` are called by place alone.
        assert only_by_place or places in (["self"], []), "the stub would let them be called by name"
        assert len(places) == len(real_places)
        return
    assert (places, names, optional) == (real_places, real_names, real_optional)


def members(owner):
    for name, member in vars(owner).items():
        if name in ("__enter__", "__exit__", "__aenter__", "__aexit__") or not name.startswith("_"):
            yield f"{owner.__name__}.{name}", member


def shown():
    for module in (hirenow, aio, testing):
        for name in module.__all__:
            thing = getattr(module, name)
            yield f"{module.__name__}.{name}", thing
            if inspect.isclass(thing) and not issubclass(thing, enum.Enum):
                slots = getattr(thing, "__match_args__", ()) if issubclass(thing, hirenow._record.Record) else ()
                yield from (found for found in members(thing) if found[0].partition(".")[2] not in slots)


def has_doc(thing):
    doc = inspect.getdoc(thing)
    if not doc:
        return False
    if doc.partition("\n")[0].endswith("-> object") or " -> " in doc.partition("\n")[0]:  # pybind11's own first line
        doc = doc.partition("\n")[2].strip()
    return bool(doc)


def test_everything_that_is_shown_says_what_it_is():
    without = []
    for name, thing in shown():
        if isinstance(thing, (staticmethod, classmethod)):
            thing = thing.__func__
        if isinstance(thing, (str, int, type(None))) or name.endswith((".default_code", ".Renderer")):
            continue
        if not (callable(thing) or isinstance(thing, property) or inspect.isclass(thing)):
            continue
        if not has_doc(thing):
            without.append(name)
    assert not without


def test_one_version_for_all():
    (version,) = re.findall(r"^ +VERSION ([0-9.]+)$", (ROOT / "CMakeLists.txt").read_text(), re.M)
    assert hirenow.__version__ == version
    try:
        assert metadata.version("hirenow") == version
    except metadata.PackageNotFoundError:
        pass  # run from a build folder
    assert f'"{version}"' in (ROOT / "tests/c_parts_test.c").read_text()
