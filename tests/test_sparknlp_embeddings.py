"""compat="sparknlp" against the vectors that the real Spark NLP 5.5.3 computed (golden/sparknlp/embeddings_*).

Through `embed`, and through the annotator in a pipeline with every field of its annotations.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from albert_fast import AlbertEmbeddings, DocumentAssembler, Pipeline, SentenceDetector, Tokenizer

TOLERANCE = 1e-5


@pytest.mark.parametrize("name", ["b1", "b8", "short", "cased"])
def test_every_annotation_and_vector(golden: Path, name: str) -> None:
    case = json.loads((golden / f"sparknlp/embeddings_{name}.json").read_text())
    data = np.load(golden / f"sparknlp/embeddings_{name}.npz")
    texts = json.loads((golden / "texts/texts.json").read_text())[: len(case["rows"])]
    params = {key: case[key] for key in ("batchSize", "maxSentenceLength", "caseSensitive")}
    model = AlbertEmbeddings.load(golden / "sparknlp/models/hf_folder", compat="sparknlp")
    for spark_name, value in params.items():
        model.set_param(spark_name, value)
    out = model.embed([text or "" for text in texts])
    cased = model.getCaseSensitive()
    worst, annotations = 0.0, 0
    for number, row in enumerate(case["rows"]):
        got = out[number]
        vectors = data["vectors"][data["splits"][number] : data["splits"][number + 1]]
        words = [word if cased else word.lower() for word in got.words]
        mine = [
            (begin, end, word, str(sentence), str(piece))
            for begin, end, word, sentence, piece in zip(
                got.begin.tolist(), got.end.tolist(), words, got.sentence.tolist(), got.piece_ids.tolist(), strict=True
            )
        ]
        theirs = [(a[1], a[2], a[3], a[4]["sentence"], a[4]["pieceId"]) for a in row]
        assert mine == theirs, f"text {number}: {texts[number]!r}"
        if mine:
            worst = max(worst, float(np.abs(got.vectors - vectors).max()))
        annotations += len(mine)
    assert annotations == len(data["vectors"]) > 500
    assert worst <= TOLERANCE


@pytest.mark.parametrize("name", ["b1", "b8", "short", "cased"])
def test_every_field_of_the_annotators_column(golden: Path, name: str) -> None:
    case = json.loads((golden / f"sparknlp/embeddings_{name}.json").read_text())
    data = np.load(golden / f"sparknlp/embeddings_{name}.npz")
    texts = json.loads((golden / "texts/texts.json").read_text())[: len(case["rows"])]
    model = AlbertEmbeddings.load(golden / "sparknlp/models/hf_folder", compat="sparknlp")
    model.setInputCols("sentence", "token").setOutputCol("embeddings")
    model.setBatchSize(case["batchSize"]).setMaxSentenceLength(case["maxSentenceLength"])
    model.setCaseSensitive(case["caseSensitive"])
    stages = [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        SentenceDetector().setInputCols(["document"]).setOutputCol("sentence"),
        Tokenizer().setInputCols(["sentence"]).setOutputCol("token"),
        model,
    ]
    column = Pipeline(stages=stages).fit().transform({"text": texts})["embeddings"]
    assert column.row_splits.tolist() == data["splits"].tolist()
    for row, expected in zip(column, case["rows"], strict=True):
        assert [[a.annotatorType, a.begin, a.end, a.result, a.metadata] for a in row] == expected
    assert np.abs(column.vectors - data["vectors"]).max() <= TOLERANCE
