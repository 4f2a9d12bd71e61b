"""The shape of the code: what ruff has no rule for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "curator"
AT_MOST = 2
SHAPED_BY_OTHERS = {
    "cli/_console.py:_drawn.show",  # the progress of a run is told as (stage, done, total)
    "versioning.py:_silent",  # likewise
    "edges/onnx_models/_child.py:_name_only",  # sys.excepthook
    "engines/_spill.py:SealedSpill.rm",  # fsspec
}
"""Functions whose callers are a protocol, not this code."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(node: ast.AST, within: tuple[ast.AST, ...] = ()) -> Iterator[tuple[str, Function | ast.Lambda, bool]]:
    """Each function below a node: its name with those around it, itself, whether its first parameter is bound."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.Lambda):
            name = getattr(child, "name", "lambda")
            names = [*(getattr(one, "name", "lambda") for one in within), name]
            yield ".".join(names), child, bool(within) and isinstance(within[-1], ast.ClassDef) and not static(child)
        yield from functions(child, (*within, child) if isinstance(child, Function | ast.ClassDef) else within)


def static(function: Function | ast.Lambda) -> bool:
    return any(getattr(one, "id", "") == "staticmethod" for one in getattr(function, "decorator_list", ()))


def crowded(source: str) -> list[str]:
    """The functions of a module that take more positional parameters than they may."""
    found = []
    for name, function, bound in functions(ast.parse(source)):
        last = name.rpartition(".")[2]
        protocol = last.startswith("__") and last.endswith("__") and last not in ("__init__", "__call__")
        taken = len(function.args.posonlyargs) + len(function.args.args) - bound
        if taken > AT_MOST and not protocol:
            found.append(name)
    return found


def modules() -> list[str]:
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", modules())
def test_a_function_takes_two_things_by_place_and_the_others_by_name(module: str) -> None:
    found = {f"{module}:{name}" for name in crowded((PACKAGE / module).read_text("utf-8"))}
    assert found <= SHAPED_BY_OTHERS


def test_the_rule_sees_methods_nested_functions_and_lambdas() -> None:
    source = """
class A:
    def fits(self, a, b, *, c): ...
    def method(self, a, b, c): ...
    @staticmethod
    def still(a, b, c): ...
    def __exit__(self, a, b, c): ...
    def __init__(self, a, b, c): ...
def outer(a, b):
    def inner(a, b, c): ...
    return lambda a, b, c: a
"""
    assert crowded(source) == ["A.method", "A.still", "A.__init__", "outer.inner", "outer.lambda"]
