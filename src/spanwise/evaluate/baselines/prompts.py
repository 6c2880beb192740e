"""A question -> what each compared system is told, as the paper words it (section 3).

What the paper leaves open is marked as ours: the end of the rules for questions, which it cuts
short, and named entities, which it asks of GLiNER models only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanwise.data.records import RELATION_SEPARATOR, SUMMARY_INSTRUCTION
from spanwise.errors import InputError

if TYPE_CHECKING:
    from spanwise.evaluate.systems import Question

NO_ANSWER = "no answer"
_QA_RULES = (
    "As an answer, use only text from the context. "
    f"If the context does not hold the answer, write: {NO_ANSWER}."  # the second sentence is ours
)


def head_and_relation(question: Question) -> tuple[str, str]:
    """Return the two parts of a relation's label; the last separator parts them.

    Raises:
        InputError: the question asks for no or for several relations, or has no separator.
    """
    label = question.labels[0] if len(question.labels) == 1 else ""
    head, separator, relation = label.rpartition(RELATION_SEPARATOR)
    if not separator:
        msg = (
            f"labels {question.labels}: this system reads one label 'head{RELATION_SEPARATOR}"
            "relation' at a time"
        )
        raise InputError(msg)
    return head, relation


def utc(question: Question) -> list[tuple[str, str]]:
    """Return (label, words ahead of the text): one prompt for each label asked for.

    Token classifiers mark what the prompt asks for and have no labels of their own. The prompt
    for entities is the one that UTC's authors use in their pipelines, one class at a time.
    """
    first = question.labels[0]
    if question.task == "relations":
        head, relation = head_and_relation(question)
        return [
            (
                first,
                (
                    f"Identify target entity given the following relation: '{relation}' and the "
                    f"following source entity: '{head}' \nText: "
                ),
            )
        ]
    if question.task in {"answers", "open"}:
        return [(first, f"{question.instruction}\n")]
    if question.task == "summary":
        return [(first, f"{SUMMARY_INSTRUCTION}\n")]
    ahead = f"{question.instruction}\n" if question.instruction else ""
    return [
        (
            label,
            f"{ahead}Identify entities in the text having the following classes:\n{label}\nText:\n",
        )
        for label in question.labels
    ]


def flan(question: Question) -> str:
    """Return Flan-T5's prompt.

    Raises:
        InputError: a task that the paper does not put to it.
    """
    if question.task == "answers":
        return f"Question: {question.instruction}\nRules: {_QA_RULES}\nContext: {question.text}"
    if question.task == "summary":
        return (
            "Prompt: Summarize the given text, highlighting the most important. \n"
            f"Text: {question.text}"
        )
    if question.task == "relations":
        head, relation = head_and_relation(question)
        return f"Subject and relation:{head} <> {relation} \n Context: {question.text}"
    msg = f"Flan-T5 has no prompt for the task {question.task!r}: answers, summary, relations"
    raise InputError(msg)


def chat(question: Question) -> str:
    """Return a chat model's instruction: Flan-T5's, told to give nothing but the answer.

    Named entities are ours: a JSON list of texts and labels.
    """
    if question.task == "answers":
        return f"{flan(question)}\nWrite the answer alone."
    if question.task == "summary":
        return flan(question)
    if question.task == "relations":
        head, relation = head_and_relation(question)
        return (
            "Find the object of the relation in the context, using only text from the context. "
            f"Write the object alone.\nSubject and relation: {head} <> {relation}\n"
            f"Context: {question.text}"
        )
    ahead = f"{question.instruction}\n" if question.instruction else ""
    return (
        f"{ahead}Find all mentions of these classes in the text: {', '.join(question.labels)}.\n"
        'Write a JSON list alone, in the order of the text: [{"text": "…", "label": "…"}, …]. '
        "Copy each mention exactly as it stands in the text.\n"
        f"Text: {question.text}"
    )
