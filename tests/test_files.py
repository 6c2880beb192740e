"""Files and folders appear whole or not at all."""

import pytest

from spanwise.files import whole_file, whole_folder


class DiskFullError(OSError):
    pass


def fill(partial):
    """Write half of what was meant."""
    partial.write_text("ha")
    raise DiskFullError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_place_when_the_block_ends_well(tmp_path):
    target = tmp_path / "deep" / "file"
    with whole_file(target) as partial:
        partial.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert names(target.parent) == ["file"]
    assert target.stat().st_mode & 0o777 == 0o644


def test_after_an_error_the_old_file_is_still_there(tmp_path):
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(DiskFullError), whole_file(target) as partial:
        fill(partial)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_folder_replaces_the_old_one_whole(tmp_path):
    target = tmp_path / "folder"
    for content in ("old", "new"):
        with whole_folder(target) as partial:
            (partial / content).write_text(content)
    assert names(target) == ["new"]
    assert names(tmp_path) == ["folder"]


def test_after_an_error_the_old_folder_is_still_there(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(DiskFullError), whole_folder(target) as partial:
        fill(partial / "half")
    assert names(target) == ["old"]
    assert names(tmp_path) == ["folder"]
