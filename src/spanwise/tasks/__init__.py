"""Tasks: what can be asked of a text, each with a typed result.

A task is a frozen dataclass with its labels, instruction and settings; `Extractor.run` takes any
number of them. The extractor's methods (`entities`, `relations`, ...) make one and run it.
"""

from __future__ import annotations

from spanwise.tasks.entities import Entities, Labels, OpenEntities
from spanwise.tasks.filters import Filter
from spanwise.tasks.phrases import KeyPhrases, Sentiments
from spanwise.tasks.prompted import Answers, Find, Summaries
from spanwise.tasks.relations import RelationLabels, Relations
from spanwise.tasks.steps import Task, run

__all__ = [
    "Answers",
    "Entities",
    "Filter",
    "Find",
    "KeyPhrases",
    "Labels",
    "OpenEntities",
    "RelationLabels",
    "Relations",
    "Sentiments",
    "Summaries",
    "Task",
    "run",
]
