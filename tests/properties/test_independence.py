"""What a text yields does not depend on its neighbours, the batches, the order or the process."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

LABELS = ["person", "city", "date"]


def keys(entities):
    return [(e.start, e.end, e.label, round(e.score, 4)) for e in entities]


@pytest.mark.parametrize("architecture", ["token", "span"])
def test_batches_and_order_change_nothing(architecture, exact, prose, any_text):
    extractor = exact[architecture]

    @given(
        texts=st.lists(prose | any_text, min_size=1, max_size=5),
        batch_tokens=st.sampled_from([1, 50, 333, 100_000]),
        order=st.randoms(use_true_random=False),
    )
    def holds(texts, batch_tokens, order):
        alone = [keys(extractor.entities(text, LABELS)) for text in texts]
        together = extractor.entities(texts, LABELS, batch_tokens=batch_tokens)
        assert [keys(found) for found in together] == alone
        places = list(range(len(texts)))
        order.shuffle(places)
        shuffled = extractor.entities([texts[place] for place in places], LABELS)
        assert [keys(found) for found in shuffled] == [alone[place] for place in places]
        streamed = extractor.entities(iter(texts), LABELS)
        assert [keys(found) for found in streamed] == alone

    holds()


def test_the_labels_of_one_text_do_not_reach_another(exact):
    extractor = exact["token"]
    text = "Ada Lovelace met Charles Babbage in London"
    sets = [["person"], ["person", "city", "date"], ["date"], ["name", "person"]]
    found = extractor.entities([text] * 4, sets)
    assert [keys(each) for each in found] == [
        keys(extractor.entities(text, labels)) for labels in sets
    ]


def test_a_used_extractor_gives_what_a_fresh_one_gives(exact):
    from spanwise.extractor import Extractor

    text = "Ada Lovelace met Charles Babbage in London"
    used = exact["token"]
    used.entities([text.upper(), text[::-1]], ["thing", "person"])
    fresh = Extractor(used.backend)
    assert keys(used.entities(text, LABELS)) == keys(fresh.entities(text, LABELS))


@pytest.mark.slow
def test_the_hash_seed_and_the_number_of_threads_change_nothing(model_folder):
    code = (
        "import json, spanwise\n"
        f"extractor = spanwise.load({str(model_folder)!r}, backend='pytorch')\n"
        "texts = ['Ada Lovelace met Charles Babbage in London. ' * n for n in (1, 4, 9)]\n"
        "labels = ['person', 'city', 'date', 'place', 'name', 'thing', 'label', 'who', 'what']\n"
        "found = extractor.entities(texts, labels, threshold=0.2, multi_label=True)\n"
        "print(json.dumps([[(e.start, e.end, e.label, round(e.score, 4)) for e in each]"
        " for each in found]))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed, threads in (("0", "1"), ("1234", "2"))
    ]
    printed = [process.communicate(timeout=300)[0] for process in processes]
    assert printed[0] == printed[1]
    assert len(json.loads(printed[0])[2]) > 20
