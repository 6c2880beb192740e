"""The command line: parse, call, print.

    spanwise COMMAND ...    one module of this package per command, imported when it is called

A new command is one line in `COMMANDS` and a module with two functions: `configure(parser)`
describes its arguments, `run(arguments) -> int` does the work and returns the exit status. One
module may serve several commands: `parser.get_default("command")` and `arguments.command` are
the name that was typed. `cli.shared` holds the options that commands have in common.

Exit status: 0, 2 for a wrong call or a `SpanwiseError` (one line on stderr), 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from spanwise.errors import SpanwiseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

# command -> (module of this package, one line of help)
COMMANDS = {
    "entities": ("extract", "mark entities in a text, a file, standard input or JSON lines"),
    "extract": ("extract", "the same as entities"),
    "relations": ("tasks", "find relations between entities, or from given heads"),
    "answer": ("tasks", "answer questions with pieces of a text"),
    "summarize": ("tasks", "give the most important sentences"),
    "keyphrases": ("tasks", "mark the phrases that say what a text is about"),
    "sentiment": ("tasks", "mark positive, negative and neutral opinions"),
    "find": ("tasks", "mark whatever an instruction asks for"),
    "run": ("run", "run a pipeline of tasks over JSON lines"),
    "calibrate": ("calibrate", "fit thresholds and a temperature on labelled records"),
    "info": ("info", "describe a model's folder or file"),
    "convert": ("convert", "rewrite a model in our format or in GLiNER's"),
    "export": ("export", "write a model as one ONNX file that runs without torch"),
    "evaluate": ("evaluate", "measure a model on the paper's benchmarks"),
    "train": ("train", "train a model on examples of your own, or on the public sets"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    Args:
        argv: the arguments, None for those of the process.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _dispatch(given)
        sys.stdout.flush()
    except SystemExit as leaving:  # argparse has printed what it had to say
        return leaving.code if isinstance(leaving.code, int) else 2
    except SpanwiseError as error:
        print(f"spanwise: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("spanwise: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader has left (`| head`); nothing may be flushed to it when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status


def _dispatch(given: list[str]) -> int:
    if not given or given[0] in {"-h", "--help", "help"}:
        print(_usage())
        return 0 if given else 2
    if given[0] in {"-V", "--version"}:
        from spanwise import __version__

        print(f"spanwise {__version__}")
        return 0
    name = given[0]
    if name not in COMMANDS:
        hint = did_you_mean(name, COMMANDS) or f"; commands: {', '.join(COMMANDS)}"
        print(f"spanwise: no command {name!r}{hint}", file=sys.stderr)
        return 2
    module = importlib.import_module(f"{__name__}.{COMMANDS[name][0]}")
    parser = Parser(prog=f"spanwise {name}", description=COMMANDS[name][1], allow_abbrev=False)
    parser.set_defaults(command=name)
    module.configure(parser)
    status: int = module.run(parser.parse_args(given[1:]))
    return status


class Parser(argparse.ArgumentParser):
    """An argument parser that guesses what a misspelt option was meant to be."""

    def error(self, message: str) -> NoReturn:
        """Print the message with a guess and leave with status 2."""
        stray = message.removeprefix("unrecognized arguments: ")
        if stray != message:
            known = [option for action in self._actions for option in action.option_strings]
            message += did_you_mean(stray.split()[0].split("=")[0], known)
        super().error(message)


def _usage() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:{width}}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: spanwise COMMAND ...",
            "",
            "One small encoder, every extraction task, exact offsets, any machine.",
            "",
            *lines,
            "",
            "spanwise COMMAND --help    what a command takes",
            "spanwise --version",
        ]
    )
