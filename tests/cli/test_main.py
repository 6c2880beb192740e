"""The command line finds its commands, and ends every run with a status and one line."""

import os
import subprocess
import sys

import pytest

from spanwise import __version__
from spanwise.cli import COMMANDS, main
from spanwise.errors import InputError


@pytest.fixture
def failing(monkeypatch):
    """Return a function that makes `spanwise info` raise what it is given."""
    from spanwise.cli import info

    def fail_with(error):
        def run(arguments):
            raise error

        monkeypatch.setattr(info, "run", run)

    return fail_with


def in_a_shell(command, **more):
    return subprocess.run(
        command, shell=True, capture_output=True, text=True, timeout=120, check=False, **more
    )


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


def test_without_a_command_the_help_is_an_error(capsys):
    assert main([]) == 2
    assert "usage: spanwise COMMAND" in capsys.readouterr().out


def test_the_version_is_the_packages(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"spanwise {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_describes_itself(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"usage: spanwise {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_line_of_help(command):
    assert COMMANDS[command][1][0].islower()
    assert not COMMANDS[command][1].endswith(".")


def test_a_misspelt_command_gets_its_neighbour(capsys):
    assert main(["extrakt", "text"]) == 2
    assert "did you mean 'extract'?" in capsys.readouterr().err


def test_a_strange_command_gets_the_list(capsys):
    assert main(["qqq"]) == 2
    assert f"commands: {', '.join(COMMANDS)}" in capsys.readouterr().err


def test_a_misspelt_option_gets_its_neighbour(capsys):
    assert main(["extract", "text", "--lables", "person"]) == 2
    assert "did you mean '--labels'?" in capsys.readouterr().err


def test_an_option_is_never_guessed_from_its_beginning(capsys):
    assert main(["extract", "text", "--thresh", "0.5"]) == 2
    assert "unrecognized arguments: --thresh" in capsys.readouterr().err


def test_an_error_of_the_tree_is_one_line_and_status_2(failing, capsys):
    failing(InputError("first line\n  and second"))
    assert main(["info"]) == 2
    assert capsys.readouterr().err == "spanwise: first line and second\n"


def test_an_unforeseen_error_is_not_hidden(failing):
    failing(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["info"])


def test_ctrl_c_ends_with_130(failing, capsys):
    failing(KeyboardInterrupt())
    assert main(["info"]) == 130
    assert capsys.readouterr().err == "spanwise: interrupted\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes of a POSIX shell")
def test_a_reader_that_leaves_makes_no_noise(tmp_path):
    script = tmp_path / "loud.py"
    script.write_text(
        "from spanwise import cli\n"
        "from spanwise.cli import info\n"
        "info.run = lambda arguments: [print('x' * 1000) for _ in range(10000)] and 0\n"
        "raise SystemExit(cli.main(['info']))\n"
    )
    done = in_a_shell(f"{sys.executable} {script} | head -c 5")
    assert done.stdout == "xxxxx"
    assert done.stderr == ""


def test_the_base_path_loads_neither_torch_nor_rich(model_folder):
    code = (
        "import sys; from spanwise.cli import main; main(['--help']); main(['extract', '--help']);"
        f"main(['info', r'{model_folder}']);"
        "print([m for m in ('torch', 'transformers', 'rich') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_runs():
    done = in_a_shell(f"{sys.executable} -m spanwise --version")
    assert (done.returncode, done.stdout) == (0, f"spanwise {__version__}\n")
