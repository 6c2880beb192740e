"""`spanwise train my.toml`: a model from one's own examples, or from the public sets."""

from __future__ import annotations

import sys
import tomllib
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from spanwise.training.config import TrainConfig

_PLACES = ("train", "dev", "model", "output", "data", "encoder", "device")
_NUMBERS = {"epochs": float, "steps": int, "minutes": float, "seed": int, "threads": int}


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.description = (
        "Train a model. Examples are checked and described first. A run that was interrupted goes "
        "on where it stopped when it is started again; under torchrun it uses several processes."
    )
    add = parser.add_argument
    add("settings", nargs="?", type=Path, help="TOML file; arguments below go over it")
    add("--check", action="store_true", help="read and describe the examples, and stop there")
    add("--quiet", action="store_true", help="say nothing but errors")
    add(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="any other setting, as in --set optim.lr_encoder=3e-5",
    )
    group = parser.add_argument_group("settings")
    add = group.add_argument
    add("--train", metavar="FILE", help="examples of your own, in any format that is read")
    add("--dev", metavar="FILE", help="examples to measure on (default: a tenth of --train)")
    add("--model", help="start from: a folder or hub name (default: the embedded model)")
    add("--output", metavar="DIR", help="folder to be made, for spanwise.load")
    add("--data", metavar="DIR", help="public sets instead of --train")
    add("--encoder", help="start from a pretrained encoder with a fresh head")
    add("--device", help="cpu, cuda, cuda:1 or auto")
    for name, kind in _NUMBERS.items():
        add(f"--{name}", type=kind, metavar="N")


def run(arguments: argparse.Namespace) -> int:
    """Train, and return the exit status: 0 when finished, 130 when a signal stopped the run.

    Raises:
        SpanwiseError: whatever keeps the run from going on, in one sentence.
    """
    from spanwise.training import finetune

    finetune.require()
    from spanwise.training import ranks, run

    config = _config(arguments)
    first = ranks.join(config.device).first
    loud = first and not arguments.quiet
    with _shown(loud=loud) as report:
        if config.train:
            from spanwise.training.examples import examples

            found = examples(config)
            if loud or (first and arguments.check):
                print(found)
            if arguments.check:
                return 0
            trainer = run.on_own_examples(config, found, report=report)
        elif arguments.check:
            msg = "--check describes examples of your own: name them with --train"
            raise ConfigError(msg)
        else:
            trainer = run.on_public_sets(config, report=report)
        if loud and trainer.progress.step:
            print(f"going on from step {trainer.progress.step} in {config.output}")
        trainer.run()
    ranks.leave()
    if trainer.stopped:
        print(f"spanwise: stopped by {trainer.stopped}; run again to go on", file=sys.stderr)
        return 130
    if loud:
        _finish(config)
    return 0


def _config(arguments: argparse.Namespace) -> TrainConfig:
    from spanwise.training.config import of, read_toml

    given = changes(arguments.set)
    for name in (*_PLACES, *_NUMBERS):
        value = getattr(arguments, name)
        if value is not None:
            given[name] = value
    if arguments.settings is not None:
        return read_toml(arguments.settings, given)
    return of(given)


def changes(given: Sequence[str]) -> dict[str, Any]:
    """Return `KEY=VALUE`s as a nested mapping; a value is TOML, or else a string."""
    found: dict[str, Any] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key.strip():
            msg = f"--set {each}: write KEY=VALUE, as in optim.lr_encoder=3e-5"
            raise ConfigError(msg)
        try:
            read = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            read = value
        *sections, name = key.strip().split(".")
        place = found
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = read
    return found


def _shown(*, loud: bool) -> Any:  # noqa: ANN401 (two kinds of context manager)
    from spanwise.training import progress

    return progress.shown() if loud else nullcontext(None)


def _finish(config: TrainConfig) -> None:
    from spanwise.training import finetune

    curves = finetune.draw_curves(config)
    if curves is not None:
        print(f"curves: {curves}")
    print(f"model: {config.output}  (spanwise.load({config.output!r}))")
