"""`spanwise.load` finds models where they are and says what it cannot do."""

import shutil

import pytest

import spanwise
from spanwise import loading
from spanwise.errors import InputError, MissingExtraError, MissingFileError

LABELS = ["person", "city"]


@pytest.fixture
def hub(monkeypatch):
    """Return a function that makes the hub answer with a folder or an error, and its calls."""
    import huggingface_hub

    calls = []

    def answer(with_what):
        def download(name, **options):
            calls.append((name, options))
            if isinstance(with_what, Exception):
                raise with_what
            return str(with_what)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
        return calls

    return answer


@pytest.mark.parametrize("kind", ["model_folder", "gliner_folder"])
def test_a_folder_in_either_format_is_loaded(request, kind, extractor, text):
    folder = request.getfixturevalue(kind)
    for path in (folder, str(folder)):
        loaded = spanwise.load(path)
        assert loaded.backend.name == "pytorch"
        found = [(e.start, e.end, e.label) for e in loaded.entities(text, LABELS)]
        assert found == [(e.start, e.end, e.label) for e in extractor.entities(text, LABELS)]


def test_a_hub_name_is_looked_up(hub, model_folder):
    calls = hub(model_folder)
    assert spanwise.load("owner/model").config.hidden_size == 16
    assert spanwise.load("owner/model", local_files_only=True)
    assert [(name, options["local_files_only"]) for name, options in calls] == [
        ("owner/model", False),
        ("owner/model", True),
    ]
    assert "*.py" not in calls[0][1]["allow_patterns"]


def test_a_hub_that_cannot_be_reached_is_named(hub):
    hub(OSError("no route to host\nand much more"))
    with pytest.raises(MissingFileError, match=r"'owner/model' .* on the hub: no route to host$"):
        spanwise.load("owner/model")


def test_a_name_that_is_not_in_the_cache_is_named_without_asking_anyone():
    with pytest.raises(MissingFileError, match="nor in the local cache"):
        spanwise.load("nobody/nothing-of-that-name", local_files_only=True)


@pytest.mark.parametrize("name", ["nowhere", "./a/b", "/no/such", "a/b/c"])
def test_a_path_that_does_not_exist_is_not_asked_of_the_hub(hub, name):
    calls = hub(OSError())
    with pytest.raises(MissingFileError, match=f"{name} does not exist"):
        spanwise.load(name)
    assert calls == []


def test_the_embedded_model_is_found_or_missed_by_name(monkeypatch, tmp_path):
    package = tmp_path / "lib" / "src" / "spanwise"
    package.mkdir(parents=True)
    monkeypatch.setattr(loading, "__file__", str(package / "loading.py"))
    with pytest.raises(MissingFileError, match="holds no embedded model"):
        spanwise.load()
    inside, checkout = package / "models" / "small", tmp_path / "lib" / "models" / "small"
    for folder in (checkout, inside):
        folder.mkdir(parents=True)
        (folder / "spanwise.json").write_text("{}")
        assert loading.embedded() == folder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "tensorflow"}, "is not one of 'auto', 'onnx', 'pytorch'"),
        ({"backend": "onnx", "device": "cuda"}, "an exported model runs where its providers do"),
        ({"backend": "onnx", "precision": "bf16"}, "an exported model runs where its providers do"),
        ({"backend": "pytorch", "providers": ["CPU"]}, "are ONNX Runtime's"),
        ({"splitter": "regx"}, "did you mean 'regex'"),
    ],
)
def test_options_that_would_be_ignored_are_refused(model_folder, options, message):
    with pytest.raises(InputError, match=message):
        spanwise.load(model_folder, **options)


def test_one_file_is_for_onnx_only(model_folder, tmp_path):
    folder = shutil.copytree(model_folder, tmp_path / "model")
    (folder / "model.onnx").write_bytes(b"")
    with pytest.raises(InputError, match="which only the backend 'onnx' runs"):
        spanwise.load(folder / "model.onnx", backend="pytorch")


def test_without_torch_the_command_that_installs_it_is_given(model_folder, monkeypatch):
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else find_spec(name)
    )
    with pytest.raises(MissingExtraError, match=r"pip install 'spanwise\[torch\]'"):
        spanwise.load(model_folder)
