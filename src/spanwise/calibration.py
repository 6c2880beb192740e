"""Thresholds and a temperature fitted to a model, in a small file beside it.

`calibration.json` in a model's folder (`NAME.calibration.json` beside a single file) is applied
whenever that model is loaded, whatever its format and backend. It belongs to one set of weights:
what is converted, exported or quantised is another model and is calibrated anew.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanwise import config as settings
from spanwise.errors import ConfigError, InputError
from spanwise.files import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    from spanwise.config import ModelConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was fitted, and on what.

    Attributes:
        thresholds: least probability by label name.
        temperature: divides the logits before the sigmoid.
        records: how many records it was fitted on.
        source: the file that they came from.
    """

    thresholds: dict[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    records: int = 0
    source: str = ""

    def __post_init__(self) -> None:
        """Raise ConfigError for a value out of range."""
        for label, threshold in self.thresholds.items():
            if not 0 <= threshold <= 1:
                msg = f"the threshold of {label!r} is {threshold}; it must be in 0..1"
                raise ConfigError(msg)
        if not self.temperature > 0:
            msg = f"temperature must be above 0, got {self.temperature}"
            raise ConfigError(msg)

    def of(self, config: ModelConfig) -> ModelConfig:
        """Return the configuration with these thresholds over its own, and this temperature."""
        return dataclasses.replace(
            config,
            thresholds={**config.thresholds, **self.thresholds},
            temperature=self.temperature,
        )


def place(model: Path) -> Path:
    """Return where the calibration of a model's folder or file is kept."""
    return model / "calibration.json" if model.is_dir() else model.with_suffix(".calibration.json")


def read(model: Path) -> Calibration | None:
    """Return the calibration beside a model, None where there is none.

    Raises:
        ConfigError: the file is no calibration.
    """
    path = place(model)
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{path} is no JSON: {error}; calibrate anew or remove it"
        raise ConfigError(msg) from error
    if not isinstance(stored, dict):
        msg = f"{path} holds a {type(stored).__name__}, not an object; calibrate anew or remove it"
        raise ConfigError(msg)
    return settings.read(Calibration, stored, where=str(path))


def write(fitted: Calibration, model: Path) -> Path:
    """Put a calibration beside a model and return its path.

    Raises:
        InputError: nothing can be written there.
    """
    path = place(model)
    try:
        with whole_file(path) as partial:
            text = json.dumps(settings.plain(fitted), indent=1, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        msg = f"{path} cannot be written ({error.strerror}); copy the model to a folder of yours"
        raise InputError(msg) from error
    return path
