"""The public surface: exact, documented, and free of heavy imports."""

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import spanwise

HEAVY = ["torch", "transformers", "onnxruntime", "tokenizers", "numpy", "rich", "huggingface_hub"]


def in_a_fresh_process(code: str) -> object:
    """Run `code` there and return what it printed, read as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    return json.loads(done.stdout)


def names_for_type_checkers() -> dict[str, str]:
    """Return public name -> module, as the `TYPE_CHECKING` block of the package has it."""
    tree = ast.parse(Path(spanwise.__file__).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.asname or alias.name: node.module.removeprefix("spanwise.")
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module.startswith("spanwise.")
        for alias in node.names
    }


def test_import_is_light():
    code = (
        f"import sys, json, spanwise; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    )
    assert in_a_fresh_process(code) == []


def test_import_takes_less_than_a_fifth_of_a_second():
    code = (
        "import time; begin = time.perf_counter(); import spanwise; "
        "print(time.perf_counter() - begin)"
    )
    assert min(in_a_fresh_process(code) for _ in range(3)) < 0.2


def test_every_public_name_but_the_model_runs_without_torch():
    code = (
        "import sys, json, spanwise; [getattr(spanwise, name) for name in spanwise.__all__]; "
        "print(json.dumps([m for m in ['torch', 'transformers'] if m in sys.modules]))"
    )
    assert in_a_fresh_process(code) == []


def test_all_is_exact():
    assert set(spanwise.__all__) == {*spanwise._HOMES, "__version__"}


def test_all_is_sorted():
    assert spanwise.__all__ == sorted(spanwise.__all__)


def test_type_checkers_see_the_names_that_are_loaded():
    assert names_for_type_checkers() == spanwise._HOMES


def test_dir_lists_every_public_name():
    assert set(spanwise.__all__) <= set(dir(spanwise))


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'spanwise' has no attribute 'extrakt'"):
        _ = spanwise.extrakt


@pytest.mark.parametrize("name", sorted(set(spanwise.__all__) - {"__version__"}))
def test_every_public_name_has_a_docstring_of_its_own(name):
    value = getattr(spanwise, name)
    doc = inspect.getdoc(value)
    assert doc
    # what a dataclass writes by itself is a signature, and no docstring
    assert not doc.startswith(f"{name}(")


@pytest.mark.parametrize("name", sorted(set(spanwise.__all__) - {"__version__"}))
def test_every_public_method_has_a_docstring(name):
    value = getattr(spanwise, name)
    if not inspect.isclass(value):
        pytest.skip(f"{name} is no class")
    bare = [
        method
        for method, member in vars(value).items()
        if not method.startswith("_") and callable(member) and not inspect.getdoc(member)
    ]
    assert bare == []
