"""The fixed words of the prompts: what the model is trained with and asked with."""

from __future__ import annotations

RELATION_SEPARATOR = " <> "
RELATION_INSTRUCTION = (
    "Identify the relation in the given text, highlighting the relevant entity:"  # paper, 2.2
)
SUMMARY_INSTRUCTION = (
    "Summarize the given text, highlighting the most important information:"  # paper, 2.2
)
ASPECTS_INSTRUCTION = "Find the aspects and the opinion about each:"
ANSWER, SUMMARY, MATCH, KEY_PHRASE = "answer", "summary", "match", "key phrase"
POLARITIES = ("positive", "negative", "neutral")


def about(aspect: str) -> str:
    """Return the instruction that asks for the opinions about one aspect."""
    return f"Find the opinion about {aspect}:"
