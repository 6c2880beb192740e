"""`spanwise.compat.GLiNER` takes gliner's calls and gives gliner's dictionaries."""

import re
from pathlib import Path

import pytest

import spanwise
from spanwise.compat import GLiNER
from spanwise.errors import InputError, LabelError, MissingFileError, UnsupportedError

LABELS = ["person", "city", "date"]
KEYS = ["start", "end", "text", "label", "score"]


@pytest.fixture(scope="module")
def folder(gliner_folder):
    return gliner_folder


@pytest.fixture(scope="module")
def model(folder):
    return GLiNER.from_pretrained(folder)


def test_entities_have_the_keys_of_upstream_in_its_order(model, text):
    found = model.predict_entities(text, LABELS, threshold=0.5)
    assert found
    assert all(list(entity) == KEYS for entity in found)
    assert all(text[e["start"] : e["end"]] == e["text"] for e in found)
    assert [e["start"] for e in found] == sorted(e["start"] for e in found)


def test_the_score_is_the_minimum_and_not_the_papers_mean(model, text):
    least = model.extractor.entities(text, LABELS, policy="min")
    mean = model.extractor.entities(text, LABELS, policy="mean")
    found = model.predict_entities(text, LABELS)
    assert [e["score"] for e in found] == [e.score for e in least]
    assert [e["score"] for e in found] != [e.score for e in mean]


def spans(entities):
    return [(e["start"], e["end"], e["label"], round(e["score"], 4)) for e in entities]


def test_inference_takes_one_text_or_many(model, text):
    one = spans(model.predict_entities(text, LABELS))

    def many(found):
        return [spans(each) for each in found]

    assert many(model.inference(text, LABELS)) == [one]
    assert many(model.inference([text, "", text], LABELS)) == [one, [], one]
    assert many(model.run([text], LABELS)) == [one]
    assert many(model.batch_predict_entities([text, text], LABELS)) == [one, one]


def test_results_do_not_depend_on_the_batch_size(model, text):
    texts = [text[:n] for n in range(5, len(text), 9)]

    def found(batch_size):
        return [spans(each) for each in model.inference(texts, LABELS, batch_size=batch_size)]

    assert found(1) == found(64)


def test_labels_may_be_a_string_repeated_described_or_given_per_text(model, text):
    person = model.predict_entities(text, ["person"])
    assert model.predict_entities(text, "person") == person
    assert model.predict_entities(text, ["person", "person"]) == person
    described = model.predict_entities(text, {"somebody": "person"})
    assert [e["start"] for e in described] == [e["start"] for e in person]
    assert {e["label"] for e in described} == {"somebody"}
    city = model.predict_entities(text, ["city"])
    per_text = model.inference([text, text], [["person"], {"city": "city"}])
    assert [[e["start"] for e in each] for each in per_text] == [
        [e["start"] for e in each] for each in (person, city)
    ]


def test_labels_for_another_number_of_texts_are_refused(model, text):
    with pytest.raises(InputError, match="given for 1 texts, there are 2"):
        model.inference([text, text], [["person"]])


def test_nested_and_multi_label_reach_the_decoder(model, text):
    flat = model.predict_entities(text, LABELS, threshold=0.1)
    nested = model.predict_entities(text, LABELS, flat_ner=False, threshold=0.1)
    several = model.predict_entities(text, LABELS, True, 0.1, True)
    assert len(nested) > len(flat)
    assert len({(e["start"], e["end"]) for e in several}) < len(several)


def test_class_probabilities_are_the_best_five_by_falling_score(model, text):
    labels = ["person", "city", "date", "place", "name", "thing", "label"]
    found = model.predict_entities(text, labels, return_class_probs=True)
    assert found
    for entity in found:
        scores = list(entity["class_probs"].values())
        assert len(scores) == 5
        assert scores == sorted(scores, reverse=True)
        assert entity["class_probs"][entity["label"]] == pytest.approx(entity["score"], abs=1e-6)


def test_a_prompt_glued_to_the_text_counts_as_text(model, text):
    question = "Who was it?\n"
    found = model.predict_entities(question + text, ["answer"], threshold=0.1)
    assert all((question + text)[e["start"] : e["end"]] == e["text"] for e in found)


def test_a_saved_model_gives_the_same_entities(model, text, tmp_path):
    model.save_pretrained(tmp_path / "again")
    again = GLiNER.from_pretrained(str(tmp_path / "again"))
    assert spans(again.predict_entities(text, LABELS)) == spans(
        model.predict_entities(text, LABELS)
    )


def test_max_length_bounds_the_window_and_nothing_is_lost(folder, text):
    short = GLiNER.from_pretrained(folder, max_length=12)
    assert short.config.max_words == 12
    found = short.predict_entities(text, LABELS)
    assert found[-1]["start"] > text.index("founded")


def test_usual_idioms_work(folder, text):
    model = GLiNER.from_pretrained(folder, load_tokenizer=True, local_files_only=True)
    assert model.eval().to("cpu").predict_entities(text, LABELS)
    assert str(model.device) == "cpu"


@pytest.mark.parametrize(
    ("option", "value"),
    [("quantize", "int8"), ("revision", "main"), ("runtime", "openvino"), ("max_width", 3)],
)
def test_loading_options_without_a_counterpart_are_refused(folder, option, value):
    with pytest.raises(InputError, match=option):
        GLiNER.from_pretrained(folder, **{option: value})


def test_calling_options_without_a_counterpart_are_refused(model, text):
    with pytest.raises(InputError, match="input_spans"):
        model.inference([text], LABELS, input_spans=[[]])
    with pytest.raises(InputError, match=r"did you mean 'return_vectors'"):
        model.predict_entities(text, LABELS, return_vector=True)
    with pytest.raises(InputError, match="batch_size must be at least 1"):
        model.inference([text], LABELS, batch_size=0)
    with pytest.raises(InputError, match="push_to_hub"):
        model.save_pretrained("anywhere", push_to_hub=True)


def test_wrong_values_are_errors_of_the_tree(model, folder, text):
    with pytest.raises(InputError, match=r"flat_ner is 0\.3, .* write threshold="):
        model.predict_entities(text, LABELS, 0.3)
    with pytest.raises(InputError, match=r"1\.5 is not a probability"):
        model.predict_entities(text, LABELS, threshold=1.5)
    with pytest.raises(LabelError, match="no labels given"):
        model.predict_entities(text, [])
    with pytest.raises(InputError, match="float8"):
        GLiNER.from_pretrained(folder, dtype="float8")
    with pytest.raises(MissingFileError, match="nowhere"):
        GLiNER.from_pretrained("nowhere")
    with pytest.raises(InputError, match="cuda"):
        model.to("cuda:99")


def test_a_model_that_cannot_move_or_be_saved_says_so(tmp_path):
    model = GLiNER(spanwise.load(threads=1))
    with pytest.raises(UnsupportedError, match="cannot be moved"):
        model.to("cpu")
    with pytest.raises(UnsupportedError, match="cannot be saved"):
        model.save_pretrained(tmp_path / "out")


CARD = {
    "entities": """
labels = ["founder", "computer", "software", "position", "date"]
entities = model.predict_entities(text, labels)
for entity in entities:
    print(entity["text"], "=>", entity["label"])
""",
    "relations": """
labels = ["Microsoft <> founder", "Microsoft <> inception date", "Bill Gates <> held position"]
entities = model.predict_entities(text, labels)
for entity in entities:
    print(entity["label"], "=>", entity["text"])
""",
    "open extraction": """
prompt = \"\"\"Find all positive aspects about the product:\n\"\"\"
matches = model.predict_entities(prompt + text, ["match"], threshold=0.3)
for match in matches:
    print(match["text"], "=>", match["score"])
""",
    "question answering": """
question = "Who was the CEO of Microsoft?"
answers = model.predict_entities(question + "\\n" + text, ["answer"])
for answer in answers:
    print(answer["text"], "=>", answer["score"])
""",
    "summarization": """
prompt = "Summarize the given text, highlighting the most important information:\\n"
summary = model.predict_entities(prompt + text, ["summary"], threshold=0.1)
print("".join(sentence["text"] for sentence in summary))
""",
}
"""How the model card of gliner-multitask-large-v0.5 has its tasks done, shortened."""


@pytest.mark.parametrize("task", CARD)
def test_code_in_the_manner_of_the_model_card_runs(task, folder, capsys):
    head = """
from gliner import GLiNER

model = GLiNER.from_pretrained(name)
text = "Microsoft was founded by Bill Gates and Paul Allen on April 4, 1975 . She was in London ."
"""
    code = head.replace("from gliner", "from spanwise.compat") + CARD[task]
    exec(compile(code, task, "exec"), {"name": str(folder)})
    assert capsys.readouterr().out.strip()


def test_the_page_for_those_who_come_from_gliner_runs(folder):
    page = Path(__file__).parents[1] / "docs" / "from-gliner.md"
    blocks = re.findall(
        r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 2
    namespace = {}
    for block in blocks:
        code = block.replace("knowledgator/gliner-multitask-large-v0.5", str(folder))
        exec(compile(code, str(page), "exec"), namespace)
    assert namespace["answer"].question == "Who met Charles Babbage?"
