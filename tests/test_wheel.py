"""The wheel, which is what a user gets, holds the package and the models, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """Build the wheel with the installed hatchling: no network, no isolation."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        yield archive


def test_it_holds_every_module_of_the_package(wheel):
    modules = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.py")}
    assert modules <= set(wheel.namelist())


def test_it_is_typed_and_carries_the_models(wheel):
    assert {"spanwise/py.typed", "spanwise/models/README.md"} <= set(wheel.namelist())


def test_it_puts_nothing_else_into_site_packages(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"spanwise"}


def test_it_needs_no_torch(wheel):
    metadata = next(name for name in wheel.namelist() if name.endswith("METADATA"))
    requires = [
        line.removeprefix("Requires-Dist: ")
        for line in wheel.read(metadata).decode().splitlines()
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    ]
    assert sorted(requires) == [
        "numpy>=1.26",
        "onnxruntime>=1.23",
        "regex>=2024.11.6",
        "tokenizers>=0.21",
    ]
