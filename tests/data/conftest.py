"""What the tests of the data share: files made in code, and the public sets where they are."""

import gzip
import json
import os
from pathlib import Path

import pytest

from spanwise.data import read_dev, read_training

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    folder = Path(os.environ.get("SPANWISE_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "train").is_dir():
        pytest.skip(f"no data sets at {folder}; set SPANWISE_DATA to the folder above train/")
    return folder


@pytest.fixture(scope="session")
def training(data_folder):
    return {source.name: source for source in read_training(data_folder)}


@pytest.fixture(scope="session")
def dev(data_folder):
    if not (data_folder / "dev").is_dir():
        pytest.skip(f"no development sets at {data_folder / 'dev'}")
    return read_dev(data_folder)


@pytest.fixture
def write_lines(tmp_path):
    def write(name, *rows) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in rows).encode()
        path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
        return path

    return write


@pytest.fixture(scope="session")
def surfaces():
    """Return a record's (surface, label) pairs."""

    def pairs(record):
        return [(record.text[span.start : span.end], span.label) for span in record.spans]

    return pairs
