"""Train the built-in model ``albert_tiny_en`` and write its three files.

One command, one core, about an hour::

    pip install torch==2.13.0+cpu sentencepiece numpy safetensors
    apt-get update                               # the texts come from Debian's archive
    python training/train_builtin.py             # trains, writes the model, prints the held-out figures
    python training/train_builtin.py --evaluate  # the held-out figures again, from the shipped files

The texts are downloaded to the working folder and never become part of the repository.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from albert import Albert, AlbertConfig, PretrainingHeads, initialise
from batches import BatchMaker, PieceEncoder, held_out_batches, unigram_probabilities
from cooccurrence import cooccurrence_vectors
from corpus import Document, documents
from evaluation import MaskedFigures, masked_figures, meaning_report, word_vectors

REPOSITORY = Path(__file__).resolve().parent.parent
MODEL_FOLDER = REPOSITORY / "python/albert_fast/data/albert_tiny_en"
WORK_FOLDER = REPOSITORY / "build/training"
# The masked-word head is needed for the loss only; it is kept beside the script, not in the wheel.
HEADS_FILE = Path(__file__).resolve().parent / "albert_tiny_en_heads.safetensors"
SEED = 20240607
PEAK_RATE = 1.5e-3
WARM_UP_STEPS = 300
LATE_SHARE = 0.4
ORDER_WEIGHT = 0.2
# Name, whether every word is tokenized alone, longest sequence.
EVALUATIONS = (("whole text", False, 128), ("word by word", True, 128), ("whole text, long", False, 512))

_log = logging.getLogger("albert_fast.training")


def train_vocabulary(train: list[Document], work: Path, config: AlbertConfig) -> Path:
    """Train the SentencePiece unigram vocabulary with ALBERT's special pieces; return its path."""
    text = work / "train.txt"
    with text.open("w", encoding="utf-8") as lines:
        for document in train:
            lines.writelines(paragraph + "\n" for paragraph in document.paragraphs)
    prefix = work / "spiece"
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(prefix),
        model_type="unigram",
        vocab_size=config.vocab_size,
        normalization_rule_name="nfkc",
        character_coverage=0.9999,
        max_sentence_length=100_000,
        num_threads=1,
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=-1,
        control_symbols=["[CLS]", "[SEP]", "[MASK]"],
        user_defined_symbols=["(", ")", '"', "-", ".", "\u2013", "£", "€"],
        minloglevel=1,
    )
    return prefix.with_suffix(".model")


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` so that a reader sees the old or the new file, never a half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    scratch.write_bytes(content)
    scratch.replace(path)


def replace_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write `tensors` as fp16 safetensors, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    half = {name: tensor.detach().to(torch.float16).contiguous() for name, tensor in tensors.items()}
    save_file(half, scratch, metadata={"format": "pt"})
    scratch.chmod(0o644)  # save_file leaves it unreadable for others
    scratch.replace(path)


def write_model(model: Albert, heads: PretrainingHeads, vocabulary: Path, folder: Path, heads_file: Path) -> None:
    """Write config.json, spiece.model and model.safetensors to `folder`, the heads to `heads_file`."""
    text = json.dumps(model.config.to_json(), indent=2) + "\n"
    replace_file(folder / "config.json", text.encode())
    replace_file(folder / "spiece.model", vocabulary.read_bytes())
    replace_tensors(heads_file, heads.state_dict())
    replace_tensors(folder / "model.safetensors", model.state_dict())


def read_model(folder: Path, heads_file: Path) -> tuple[Albert, PretrainingHeads]:
    """Read what `write_model` wrote; the weights are the fp16 values, computed with in fp32."""
    content = json.loads((folder / "config.json").read_text())
    fields = {name: content[name] for name in AlbertConfig.__dataclass_fields__}
    config = AlbertConfig(**fields)
    model, heads = Albert(config), PretrainingHeads(config)
    for module, path in ((model, folder / "model.safetensors"), (heads, heads_file)):
        module.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    return model.eval(), heads.eval()


def learning_rate(step: int, n_steps: int) -> float:
    """Return the rate at `step`: linear warm-up, then half a cosine down to a fiftieth of the peak."""
    if step < WARM_UP_STEPS:
        return PEAK_RATE * (step + 1) / WARM_UP_STEPS
    progress = (step - WARM_UP_STEPS) / max(1, n_steps - WARM_UP_STEPS)
    return PEAK_RATE * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def make_optimizer(model: Albert, heads: PretrainingHeads) -> torch.optim.Optimizer:
    """AdamW; weight decay on matrices only."""
    parameters = [*model.parameters(), *heads.parameters()]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.01},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98), eps=1e-6, fused=True)


class HeldOut:
    """The held-out documents in both ways of tokenizing, with the unigram shares of the training split."""

    def __init__(self, corpus: list[Document], encoder: PieceEncoder, vocab_size: int) -> None:
        self._vocab_size = vocab_size
        train = [document for document in corpus if not document.is_held_out]
        test = [document for document in corpus if document.is_held_out]
        self.train = {by_word: encoder.stream(train, by_word) for by_word in (False, True)}
        self.test = {by_word: encoder.stream(test, by_word) for by_word in (False, True)}
        self.unigram = {
            by_word: unigram_probabilities(stream.ids, vocab_size) for by_word, stream in self.train.items()
        }

    def figures(self, model: Albert, heads: PretrainingHeads) -> dict[str, MaskedFigures]:
        """Return the figures on whole text, word by word, and on sequences as long as positions go."""
        found = {}
        for name, by_word, length in EVALUATIONS:
            batches = held_out_batches(self.test[by_word], self._vocab_size, length, SEED)
            found[name] = masked_figures(model, heads, batches, self.unigram[by_word])
        return found


def log_figures(figures: dict[str, MaskedFigures]) -> None:
    """Print the held-out figures."""
    for name, found in figures.items():
        _log.info(
            "held out, %s: loss %.3f, unigram %.3f, gain %.3f nats, accuracy %.1f %%, %d masked pieces",
            name, found.loss, found.baseline, found.gain, 100 * found.accuracy, found.n_masked,
        )  # fmt: skip


def train(arguments: argparse.Namespace) -> None:
    """Train from the texts to the three files."""
    config = AlbertConfig()
    torch.manual_seed(SEED)
    corpus = documents(arguments.work)
    in_training = [document for document in corpus if not document.is_held_out]
    vocabulary = train_vocabulary(in_training, arguments.work, config)
    encoder = PieceEncoder(sentencepiece.SentencePieceProcessor(model_file=str(vocabulary)))
    held_out = HeldOut(corpus, encoder, config.vocab_size)
    _log.info(
        "%d documents, %d pieces for training, %d held out; %d parameters",
        len(corpus), len(held_out.train[False].ids), len(held_out.test[False].ids),
        sum(p.numel() for p in Albert(config).parameters()),
    )  # fmt: skip
    model, heads = Albert(config), PretrainingHeads(config)
    whole_text = held_out.train[False].ids
    vectors = cooccurrence_vectors(whole_text, config.vocab_size, config.embedding_size)
    initialise(model, heads, torch.from_numpy(np.log(held_out.unigram[False])).float(), vectors)
    maker = BatchMaker(held_out.train[False], held_out.train[True], config.vocab_size, SEED)

    def save() -> None:
        write_model(model, heads, vocabulary, arguments.output, arguments.heads)

    fit(model, heads, maker, held_out, arguments, save)
    save()
    evaluate(arguments)


def fit(
    model: Albert,
    heads: PretrainingHeads,
    maker: BatchMaker,
    held_out: HeldOut,
    arguments: argparse.Namespace,
    save: Callable[[], None],
) -> None:
    """Run the training steps; print the curve and save a checkpoint now and then."""
    optimizer = make_optimizer(model, heads)
    parameters = [*model.parameters(), *heads.parameters()]
    begun = time.monotonic()
    word_sum = order_sum = 0.0
    n_order = 0
    for step in range(arguments.steps):
        batch = maker.draw(is_late=step >= LATE_SHARE * arguments.steps)
        hidden = model(batch.ids, batch.positions, batch.token_types)
        chosen = hidden.flatten(0, 1)[batch.masked]
        logits = heads.word_logits(chosen, model.embeddings.word_embeddings.weight)
        word_loss = functional.cross_entropy(logits, batch.targets)
        loss = word_loss
        if len(batch.order_rows):
            order_logits = heads.order_logits(model.pooled(hidden[batch.order_rows]))
            order_loss = functional.cross_entropy(order_logits, batch.order_labels)
            loss = word_loss + ORDER_WEIGHT * order_loss
            order_sum += float(order_loss.detach())
            n_order += 1
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, arguments.steps)
        optimizer.step()
        optimizer.zero_grad()
        word_sum += float(word_loss.detach())
        if (step + 1) % 50 == 0:
            _log.info(
                "step %d, %.0f s: masked words %.3f, sentence order %.3f",
                step + 1, time.monotonic() - begun, word_sum / 50, order_sum / max(1, n_order),
            )  # fmt: skip
            word_sum = order_sum = 0.0
            n_order = 0
        if step + 1 in (200, 600) or (step + 1) % 1000 == 0:
            log_figures(held_out.figures(model, heads))
            save()


def evaluate(arguments: argparse.Namespace) -> None:
    """Print the held-out figures and the nearest neighbours, from the written files."""
    model, heads = read_model(arguments.output, arguments.heads)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(arguments.output / "spiece.model"))
    encoder = PieceEncoder(processor)
    corpus = documents(arguments.work)
    held_out = HeldOut(corpus, encoder, model.config.vocab_size)
    log_figures(held_out.figures(model, heads))
    # Contexts from the whole corpus: the held-out share alone has too few of each word.
    shuffled = np.random.default_rng(SEED).permutation(len(corpus))
    vectors = word_vectors(model, encoder, [corpus[at] for at in shuffled])
    for line in meaning_report(vectors):
        _log.info("%s", line)


def main() -> None:
    """Parse the command line and train or evaluate."""
    parser = argparse.ArgumentParser(description="Train the built-in model albert_tiny_en.")
    parser.add_argument("--evaluate", action="store_true", help="only recompute the held-out figures")
    parser.add_argument("--work", type=Path, default=WORK_FOLDER, help="texts, scratch files")
    parser.add_argument("--output", type=Path, default=MODEL_FOLDER, help="folder of the three model files")
    parser.add_argument("--heads", type=Path, default=HEADS_FILE, help="file of the training heads")
    parser.add_argument("--steps", type=int, default=6500, help="training steps of about 2,048 pieces")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(1)
    if arguments.evaluate:
        evaluate(arguments)
    else:
        train(arguments)


if __name__ == "__main__":
    main()
