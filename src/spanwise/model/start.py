"""A new model on a pretrained encoder: the start of training from scratch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import AddedToken, Tokenizer
from transformers import AutoModel, AutoTokenizer

from spanwise.config import ModelConfig
from spanwise.errors import MissingFileError
from spanwise.model.checkpoint import TOKENIZER_FILE, Model, read_tokenizer
from spanwise.model.network import Network

if TYPE_CHECKING:
    from typing import Any


def from_encoder(
    folder: str | Path,
    *,
    attention: str = "sdpa",
    **overrides: Any,  # noqa: ANN401
) -> Model:
    """Return a model with the encoder of a Hugging Face folder and a random head.

    Args:
        folder: holds the encoder's config, weights and tokenizer.
        attention: see `Network`.
        overrides: fields of `ModelConfig`, such as `hidden_size`.
    """
    folder = Path(folder)
    pretrained = AutoModel.from_pretrained(folder, local_files_only=True)
    tokenizer = _tokenizer(folder, pretrained.config.vocab_size)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    stored = pretrained.config.to_diff_dict()
    stored["model_type"] = pretrained.config.model_type
    draft = ModelConfig(
        encoder=stored, **{"hidden_size": pretrained.config.hidden_size, **overrides}
    )
    tokenizer.add_special_tokens(
        [
            AddedToken(token, special=True, normalized=False)
            for token in (draft.label_token, draft.separator_token)
        ]
    )
    pretrained.resize_token_embeddings(tokenizer.get_vocab_size(), mean_resizing=True)
    stored["vocab_size"] = tokenizer.get_vocab_size()
    positions = getattr(pretrained.config, "max_position_embeddings", None)
    absolute = pretrained.config.model_type in {"bert", "roberta", "xlm-roberta", "distilbert"}
    config = ModelConfig(
        encoder=stored,
        **{
            "hidden_size": pretrained.config.hidden_size,
            "max_positions": positions if absolute else None,
            **overrides,
        },
    )
    network = Network(config, attention=attention)
    own = network.encoder.state_dict()
    given = {k: v for k, v in pretrained.state_dict().items() if k in own}
    network.encoder.load_state_dict(given)
    return Model(network, tokenizer)


def _tokenizer(folder: Path, vocabulary: int) -> Tokenizer:
    """Return the encoder's tokenizer; one without `tokenizer.json` (DeBERTa-v3) is converted.

    Raises:
        MissingFileError: the folder holds none that knows the encoder's `vocabulary` of words.
    """
    if (folder / TOKENIZER_FILE).is_file():
        return read_tokenizer(folder / TOKENIZER_FILE)
    converted = None
    try:
        made = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        converted = Tokenizer.from_str(made.backend_tokenizer.to_str())
        why = f"one of {converted.get_vocab_size()} words for {vocabulary}"
    except (OSError, ValueError, ImportError, AttributeError) as error:
        why = str(error)
    if converted is None or 2 * converted.get_vocab_size() < vocabulary:
        # without any file transformers makes an empty tokenizer and says nothing
        msg = f"{folder} holds no tokenizer that fits ({why}); put its tokenizer.json there"
        raise MissingFileError(msg)
    return converted
