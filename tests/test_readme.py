"""The README's examples run as they are written.

Python blocks run in order in one namespace; lines of console blocks that begin with `$` run in a
shell. Both need the embedded model.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
WEIGHTS = [
    path for path in (ROOT / "models").rglob("*") if path.suffix in {".onnx", ".safetensors"}
]

needs_the_model = pytest.mark.skipif(
    not WEIGHTS, reason="models/ holds no weights yet, and the examples load the embedded model"
)


def blocks(language: str) -> list[str]:
    """Return the README's fenced blocks of that language, in order."""
    pattern = rf"^```{language}\n(.*?)^```$"
    return re.findall(pattern, README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Return the commands of the console blocks."""
    lines = (line for block in blocks("console") for line in block.splitlines())
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def test_there_are_examples_of_both_kinds():
    assert blocks("python")
    assert commands()


@pytest.mark.parametrize("block", blocks("python"))
def test_python_examples_are_python(block):
    compile(block, str(README), "exec")


@needs_the_model
def test_python_examples_run():
    namespace: dict[str, object] = {"__name__": "readme"}
    for block in blocks("python"):
        exec(compile(block, str(README), "exec"), namespace)


@needs_the_model
@pytest.mark.parametrize("command", commands())
def test_commands_run(command):
    here = Path(sys.executable).parent
    env = os.environ | {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [shutil.which("sh"), "-c", command],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))]
)
def test_links_lead_somewhere(page):
    source = ROOT / page
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", source.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (source.parent / target).exists()]
    assert missing == []
