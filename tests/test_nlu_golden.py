"""Every frame that nlu 5.4.1 on Spark NLP 5.5.3 made (golden/sparknlp/nlu_frames.json) against ours.

The frames were made by a saved pipeline; its stages and parameters are those of golden's saved_pipeline.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from albert_fast import (
    AlbertEmbeddings,
    DocumentAssembler,
    ParameterError,
    Pipeline,
    SentenceDetector,
    Tokenizer,
    nlu,
)

VECTOR = "word_embedding_from_disk"
TOLERANCE = 1e-5
LABELS = [5, 9]
INPUTS: dict[str, Any] = {
    "str": "I love NLP",
    "list": ["I love NLP", "Two parts here. The second."],
    "series": pd.Series(["I love NLP", "b c"], index=LABELS),
    "df": pd.DataFrame({"text": ["I love NLP", "Two parts here. The second."], "y": [1, 2]}, index=LABELS),
}
# Where a frame of ours deliberately differs from nlu's, and why. Nothing else may.
OTHER_LEVEL = "not_a_level"  # nlu gives a row per text for any unknown level; ours is a ParameterError
WHOLE_DOCUMENT = (  # nlu shows the whole document's tokens on every sentence's row; ours those of the sentence
    "token",
    "token_begin",
    "token_end",
    "token_origin_sentence",
    VECTOR,
    f"{VECTOR}_begin",
    f"{VECTOR}_end",
    f"{VECTOR}_is_OOV",
    f"{VECTOR}_is_word_start",
    f"{VECTOR}_origin_sentence",
    f"{VECTOR}_piece_id",
)
# nlu numbers the rows anew, 0, 1 ...; ours keep the labels of a DataFrame and of a Series: LABELS[i] for i.
RELABELLED = ("df", "series")
# nlu's columns are all object but for int64 of places and origin_index; ours are int64 wherever a cell is one whole
# number, and pandas' str where a cell is one text.


@pytest.fixture(scope="module")
def frames(golden: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((golden / "sparknlp/nlu_frames.json").read_text())
    assert len(made) == 41
    return made


@pytest.fixture(scope="module")
def pipe(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> nlu.NLUPipeline:
    stages = [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        SentenceDetector().setInputCols(["document"]).setOutputCol("sentence"),
        Tokenizer().setInputCols(["sentence"]).setOutputCol("token"),
        AlbertEmbeddings.load(golden / "sparknlp/models/hf_folder")
        .setInputCols("sentence", "token")
        .setOutputCol("embeddings")
        .setBatchSize(1),
    ]
    folder = tmp_path_factory.mktemp("nlu") / "saved"
    Pipeline(stages=stages).fit().save(folder)
    return nlu.load(path=folder, column_style="nlu5")


def numbers(shortened: str) -> list[float]:
    """The numbers of a printed array, without the last, which may be cut."""
    return [float(number) for number in re.findall(r"-?\d+\.\d*", shortened)][:-1]


def repeats_document(level: str, column: str, text: str) -> bool:
    if column == VECTOR and text == "Two parts here.":
        return False  # the first numbers, which are all that was kept, are those of the first sentence
    return level == "sentence" and column in WHOLE_DOCUMENT and text in ("Two parts here.", "The second.")


def test_every_frame(frames: dict[str, Any], pipe: nlu.NLUPipeline) -> None:
    cells = vectors = differing = 0
    for key, theirs in frames.items():
        level, kind, positions, metadata = key.split("/")
        options = {"positions": positions == "True", "metadata": metadata == "True"}
        if level == OTHER_LEVEL:
            with pytest.raises(ParameterError, match="output_level is 'not_a_level'"):
                pipe.predict(INPUTS[kind], level, **options)
            continue
        mine = pipe.predict(INPUTS[kind], None if level == "None" else level, **options)
        assert list(mine.columns) == theirs["columns"], key
        index = [LABELS[i] for i in theirs["index"]] if kind in RELABELLED else theirs["index"]
        assert mine.index.tolist() == index, key
        assert mine.index.name == theirs["index_name"]
        for column, dtype in theirs["dtypes"].items():
            if dtype == "int64":
                assert mine[column].dtype == np.int64, (key, column)
        for row, their_row in enumerate(theirs["rows"]):
            for column, their_cell in their_row.items():
                cell = mine[column].iloc[row]
                if repeats_document(level, column, their_row.get("sentence", "")):
                    differing += 1
                elif column == VECTOR:
                    expected = numbers(their_cell)
                    assert len(expected) >= 8
                    assert cell.dtype == np.float32
                    assert cell.shape[-1] == 64
                    np.testing.assert_allclose(cell.ravel()[: len(expected)], expected, atol=TOLERANCE, err_msg=key)
                    vectors += 1
                else:
                    assert str(cell) == their_cell, (key, column, row)
                    cells += 1
    # All that was kept of 41 frames: cells as they are printed, vectors, and what a sentence of two shows.
    assert (cells, vectors, differing) == (655, 90, 45)


@pytest.mark.parametrize("level", ["document", "chunk"])
def test_a_saved_pipeline_finds_sentences_at_every_level(
    level: str, golden: Path, frames: dict[str, Any], pipe: nlu.NLUPipeline
) -> None:
    theirs = frames[f"{level}/list/False/False"]["rows"][1]  # nlu.load(path=...) on a text of two sentences
    saved = pipe.predict(INPUTS["list"], level)[VECTOR].iloc[1]
    first_alone = pipe.predict(["Two parts here."], level)[VECTOR].iloc[0]
    np.testing.assert_allclose(saved[0, :8], numbers(theirs[VECTOR])[:8], atol=TOLERANCE)
    np.testing.assert_array_equal(saved[:4], first_alone)
    # A model alone, as a reference: nlu wires it to the documents at this level.
    model = nlu.load(path=golden / "sparknlp/models/hf_folder", column_style="nlu5")
    whole = model.predict(INPUTS["list"], level)[VECTOR].iloc[1]
    assert whole.shape == saved.shape
    assert abs(whole - saved).max() > 0.1


def test_sentence_rows_hold_their_own_part_of_what_nlu_repeats(frames: dict[str, Any], pipe: nlu.NLUPipeline) -> None:
    theirs = frames["sentence/df/True/True"]["rows"]
    mine = pipe.predict(INPUTS["df"], "sentence", positions=True, metadata=True)
    for column in WHOLE_DOCUMENT:
        both = [list(cell) for cell in mine[column].iloc[1:]]
        assert [len(part) for part in both] == [4, 3]
        if column == VECTOR:
            whole = pipe.predict(INPUTS["df"], "document")[VECTOR].iloc[1]
            np.testing.assert_array_equal(np.vstack(both), whole)
            continue
        expected = re.findall(r"[^\s,'\[\]]+", theirs[1][column])
        assert [str(item) for part in both for item in part] == expected
        assert theirs[1][column] == theirs[2][column]
