"""Everything the paper measures: metrics, benchmarks, the compared systems and the report.

`evaluate` puts a `System` to a suite of benchmarks and gives a `Report`; `ExtractorSystem` makes
our own extractor a system, `baselines` the others. `compare` tests two finished runs against each
other.
"""

from __future__ import annotations

from spanwise.evaluate.comparison import Difference, compare
from spanwise.evaluate.options import Options
from spanwise.evaluate.results import Report, Result
from spanwise.evaluate.runner import evaluate
from spanwise.evaluate.systems import ExtractorSystem, Question, Reading, System

__all__ = [
    "Difference",
    "ExtractorSystem",
    "Options",
    "Question",
    "Reading",
    "Report",
    "Result",
    "System",
    "compare",
    "evaluate",
]
