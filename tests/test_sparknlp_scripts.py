"""Scripts as users of Spark NLP write them run as they stand, but for the lines that import.

Each script is a text. `ported` rewrites its import lines, by the rules of docs/from-spark-nlp.md, and nothing else.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import albert_fast
from albert_fast import AlbertEmbeddings, Annotation
from ported_script import ported


def run(script: str, **names: Any) -> dict[str, Any]:
    """Run a script and return its names."""
    exec(compile(ported(script), "script", "exec"), names)
    return names


@pytest.fixture
def model(published: Path) -> AlbertEmbeddings:
    """What the scripts get by a published name, used directly."""
    return AlbertEmbeddings.load(published)


# The Python tab of the model card of albert_base_uncased, from its three dots on; what the dots leave out is before.
MODEL_CARD = """
import sparknlp
from sparknlp.base import *
from sparknlp.annotator import *
from pyspark.ml import Pipeline

spark = sparknlp.start()

document_assembler = DocumentAssembler() \\
    .setInputCol("text") \\
    .setOutputCol("document")
sentence_detector = SentenceDetector() \\
    .setInputCols(["document"]) \\
    .setOutputCol("sentence")
tokenizer = Tokenizer() \\
    .setInputCols(["sentence"]) \\
    .setOutputCol("token")
...
embeddings = AlbertEmbeddings.pretrained("albert_base_uncased", "en") \\
      .setInputCols("sentence", "token") \\
      .setOutputCol("embeddings")
nlp_pipeline = Pipeline(stages=[document_assembler, sentence_detector, tokenizer, embeddings])
pipeline_model = nlp_pipeline.fit(spark.createDataFrame([[""]]).toDF("text"))
result = pipeline_model.transform(spark.createDataFrame([["I love NLP"]], ["text"]))
"""


def test_the_model_card(model: AlbertEmbeddings) -> None:
    result = run(MODEL_CARD)["result"]
    assert result.columns == ["text", "document", "sentence", "token", "embeddings"]
    assert result.select("token.result").first()[0] == ["I", "love", "NLP"]
    assert result.schema["embeddings"].metadata["dimension"] == 768
    row = result.first().embeddings
    assert [(a.annotatorType, a.begin, a.end, a.result) for a in row] == [
        ("word_embeddings", 0, 0, "i"), ("word_embeddings", 2, 5, "love"), ("word_embeddings", 7, 9, "nlp"),
    ]  # fmt: skip
    assert np.array_equal(row.vectors, model.embed("I love NLP").vectors)


def test_the_model_card_gives_the_vectors_of_spark_nlp(golden: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence that is alone in its batch has no padding: Spark NLP's vectors are ours without compat."""
    files = albert_fast.models.read_folder(golden / "sparknlp/models/hf_folder")
    monkeypatch.setattr(albert_fast.models, "resolve", lambda *args, **options: files)
    cases = json.loads((golden / "sparknlp/stages.json").read_text())
    theirs = cases["light_full_list_True"][0]["embeddings"]
    mine = run(MODEL_CARD)["result"].first().embeddings
    assert [(a.begin, a.end, a.result, a.metadata) for a in mine] == [
        (a["begin"], a["end"], a["result"], a["metadata"]) for a in theirs
    ]
    numbers = cases["light_annotate_str_True"]["embeddings"]
    assert np.abs(mine.vectors - np.array([text.split() for text in numbers], dtype=float)).max() < 1e-5


def test_vectors_finished_exploded_and_shown(model: AlbertEmbeddings, capsys: pytest.CaptureFixture[str]) -> None:
    names = run("""
import sparknlp
from sparknlp.base import *
from sparknlp.annotator import *
from pyspark.ml import Pipeline

spark = sparknlp.start()
documentAssembler = DocumentAssembler().setInputCol("text").setOutputCol("document")
tokenizer = Tokenizer().setInputCols(["document"]).setOutputCol("token")
embeddings = AlbertEmbeddings.pretrained() \\
    .setInputCols(["token", "document"]) \\
    .setOutputCol("embeddings") \\
    .setCaseSensitive(False) \\
    .setMaxSentenceLength(256) \\
    .setBatchSize(4)
finisher = EmbeddingsFinisher() \\
    .setInputCols(["embeddings"]) \\
    .setOutputCols("finished_embeddings") \\
    .setOutputAsVector(True) \\
    .setCleanAnnotations(False)
pipeline = Pipeline().setStages([documentAssembler, tokenizer, embeddings, finisher])
data = spark.createDataFrame([["The stars are very far away."]]).toDF("text")
result = pipeline.fit(data).transform(data)
result.selectExpr("explode(finished_embeddings) as result").show(5, 80)
""")
    vectors = model.embed("The stars are very far away.").vectors.astype(np.float64)
    assert len(vectors) == 7
    lines = capsys.readouterr().out.splitlines()
    rule = "+" + "-" * 80 + "+"
    shown = ["|[" + ",".join(map(str, vector.tolist()))[:76] + "...|" for vector in vectors[:5]]
    assert lines == [rule, "|" + "result".rjust(80) + "|", rule, *shown, rule, "only showing top 5 rows"]
    assert names["result"].columns[-1] == "finished_embeddings"


def test_a_light_pipeline(model: AlbertEmbeddings) -> None:
    names = run("""
import sparknlp
from sparknlp.base import DocumentAssembler, LightPipeline
from sparknlp.annotator import *
from pyspark.ml import Pipeline

spark = sparknlp.start()
empty_df = spark.createDataFrame([['']]).toDF('text')
stages = [
    DocumentAssembler().setInputCol('text').setOutputCol('document'),
    SentenceDetector().setInputCols('document').setOutputCol('sentence'),
    Tokenizer().setInputCols('sentence').setOutputCol('token'),
    AlbertEmbeddings.pretrained('albert_base_uncased').setInputCols('sentence', 'token').setOutputCol('embeddings'),
]
fitted = Pipeline(stages=stages).fit(empty_df)

light = LightPipeline(fitted)
words = light.annotate("It rained. We stayed in.")['token']
annotated = light.annotate(["It rained.", ""])
keys = list(light.fullAnnotate("It rained. We stayed in.")[0].keys())

with_vectors = LightPipeline(fitted, parse_embeddings=True)
pairs = []
for annotation in with_vectors.fullAnnotate("It rained. We stayed in.")[0]['embeddings']:
    pairs.append((annotation.result, annotation.metadata['sentence'], annotation.embeddings))
as_text = with_vectors.annotate("It rained.")['embeddings']
""")
    assert names["words"] == ["It", "rained", ".", "We", "stayed", "in", "."]
    assert [row["token"] for row in names["annotated"]] == [["It", "rained", "."], []]
    assert names["keys"] == ["document", "sentence", "token", "embeddings"]
    words, sentences, vectors = zip(*names["pairs"], strict=True)
    assert words == ("it", "rained", ".", "we", "stayed", "in", ".")
    assert sentences == ("0", "0", "0", "1", "1", "1", "1")
    assert np.array_equal(np.array(vectors, dtype=np.float32), model.embed("It rained. We stayed in.").vectors)
    numbers = np.array([text.split(" ") for text in names["as_text"]], dtype=np.float32)
    assert np.array_equal(numbers, model.embed("It rained.").vectors)


def test_strings_of_a_finisher_in_pandas(published: Path) -> None:
    pytest.importorskip("pandas")
    names = run("""
import sparknlp
from sparknlp.base import *
from sparknlp.annotator import *
from pyspark.ml import Pipeline

spark = sparknlp.start()
df = spark.createDataFrame([(1, "Rain fell. Then snow."), (2, "Sun!"), (3, "")], ["id", "text"])
document = DocumentAssembler().setInputCol("text").setOutputCol("document").setIdCol("id")
sentence = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence")
token = Tokenizer().setInputCols(["sentence"]).setOutputCol("token")
lists = Finisher().setInputCols(["sentence", "token"]).setOutputCols(["sentences", "words"]).setCleanAnnotations(False)
strings = Finisher() \\
    .setInputCols(["token"]) \\
    .setOutputCols(["line"]) \\
    .setOutputAsArray(False) \\
    .setAnnotationSplitSymbol(" ")
model = Pipeline(stages=[document, sentence, token, lists, strings]).fit(df)
finished = model.transform(df)
table = finished.toPandas()
words_per_text = table["words"].apply(len).tolist()
""")
    assert names["finished"].columns == ["id", "text", "sentences", "words", "line"]
    table = names["table"]
    assert table["id"].tolist() == [1, 2, 3]
    assert table["sentences"].tolist() == [["Rain fell.", "Then snow."], ["Sun!"], []]
    assert table["line"].tolist() == ["Rain fell . Then snow .", "Sun !", ""]
    assert names["words_per_text"] == [6, 2, 0]


def test_sentence_vectors_of_a_pandas_table(model: AlbertEmbeddings) -> None:
    pytest.importorskip("pandas")
    names = run("""
import numpy as np
import pandas as pd
import sparknlp
from sparknlp.base import *
from sparknlp.annotator import *
from pyspark.ml import Pipeline

spark = sparknlp.start()
frame = pd.DataFrame({"text": ["Rain fell. Then snow fell too.", "The sun came out."], "label": [0, 1]}, index=[7, 9])
data = spark.createDataFrame(frame)
pipeline = Pipeline(stages=[
    DocumentAssembler().setInputCol("text").setOutputCol("document"),
    SentenceDetector().setInputCols(["document"]).setOutputCol("sentence"),
    Tokenizer().setInputCols(["sentence"]).setOutputCol("token"),
    AlbertEmbeddings.pretrained("albert_base_uncased", "en").setInputCols(["sentence", "token"]).setOutputCol("words"),
    SentenceEmbeddings().setInputCols(["sentence", "words"]).setOutputCol("vectors").setPoolingStrategy("AVERAGE"),
    EmbeddingsFinisher().setInputCols(["vectors"]).setOutputCols(["finished"]).setCleanAnnotations(True),
])
model = pipeline.fit(data)
from_session = model.transform(data).select("label", "finished").toPandas()
in_place = model.transform(frame)
matrix = np.array([np.mean(row, axis=0) for row in from_session["finished"]])
""")
    expected = model.embed(list(names["frame"]["text"]), level="sentence", pooling="words")
    assert expected.vectors.shape == (3, 768)
    for finished in (names["from_session"]["finished"], names["in_place"]["finished"]):
        assert [len(cell) for cell in finished] == [2, 1]
        assert np.abs(np.concatenate(list(finished)) - expected.vectors).max() < 1e-5
    assert names["in_place"].index.tolist() == [7, 9]
    assert names["in_place"].columns.tolist() == ["text", "label", "finished"]
    assert names["from_session"]["label"].tolist() == [0, 1]
    assert names["matrix"].shape == (2, 768)


def test_a_pipeline_saved_and_loaded(tmp_path: Path, model: AlbertEmbeddings) -> None:
    names = run(
        """
import sparknlp
from sparknlp.base import *
from sparknlp.annotator import *
from sparknlp.pretrained import PretrainedPipeline
from pyspark.ml import Pipeline, PipelineModel

spark = sparknlp.start()
embeddings = AlbertEmbeddings.pretrained("albert_base_uncased", "en")
embeddings.write().overwrite().save(folder + "/model")
embeddings = AlbertEmbeddings.load(folder + "/model") \\
    .setInputCols(["document", "token"]) \\
    .setOutputCol("embeddings") \\
    .setStorageRef("my_albert")
pipeline = Pipeline(stages=[
    DocumentAssembler().setInputCol("text").setOutputCol("document").setCleanupMode("shrink"),
    Tokenizer().setInputCols(["document"]).setOutputCol("token"),
    embeddings,
])
data = spark.createDataFrame([["  Snow   fell. "]], ["text"])
pipeline.fit(data).write().overwrite().save(folder + "/pipeline")
pipeline.fit(data).write().overwrite().save(folder + "/pipeline")

loaded = PipelineModel.load(folder + "/pipeline")
result = loaded.transform(data)
stages = [type(stage).__name__ for stage in loaded.stages]

pretrained = PretrainedPipeline.from_disk(folder + "/pipeline", parse_embeddings=True)
words = pretrained.annotate("Snow fell.")["token"]
full = pretrained.fullAnnotate(["Snow fell."])[0]["embeddings"]
explained = loaded.stages[2].explainParams()
print(embeddings.explainParams())
""",
        folder=str(tmp_path),
    )
    assert names["stages"] == ["DocumentAssembler", "TokenizerModel", "AlbertEmbeddings"]
    assert names["words"] == ["Snow", "fell", "."]
    expected = model.embed("Snow fell.", detect_sentences=False).vectors
    assert np.array_equal(names["result"].first().embeddings.vectors, expected)
    assert np.array_equal([annotation.vector for annotation in names["full"]], expected)
    assert names["result"].schema["embeddings"].metadata["ref"] == "my_albert"
    assert "storageRef" in names["explained"]
    assert "current: my_albert" in names["explained"]


def test_tokens_with_exceptions_in_loops_over_rows(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("regex")
    names = run("""
import sparknlp
from sparknlp.base import *
from sparknlp.annotator import *
from sparknlp.annotation import Annotation
from pyspark.ml import Pipeline

spark = sparknlp.start(memory="16G")
print("Version:", sparknlp.version(), spark.version)
data = spark.createDataFrame(["They live in New York now.", "He said: stop-and-go."], "string").toDF("text")
tokenizer = Tokenizer() \\
    .setInputCols(["document"]) \\
    .setOutputCol("token") \\
    .setExceptions(["New York"]) \\
    .addException("e-mail") \\
    .setSplitChars(["-"])
pipeline = Pipeline(stages=[DocumentAssembler().setInputCol("text").setOutputCol("document"), tokenizer])
result = pipeline.fit(data).transform(data).withColumnRenamed("token", "words").cache()
rows = result.count()
result.printSchema()

tokens = []
for row in result.select("words.result").collect():
    tokens.append(row[0])
places = []
for row in result.select("words").toLocalIterator():
    for word in row["words"]:
        places.append((word["result"], word.begin, word["end"]))
again = [Annotation.fromRow(word) for word in result.first()["words"]]
long_words = result.selectExpr("explode(words) as word").select("word.result", "word.begin").take(2)
""")
    assert names["tokens"] == [
        ["They", "live", "in", "New York", "now", "."],
        ["He", "said", ":", "stop", "and", "go", "."],
    ]
    assert names["rows"] == 2
    assert names["places"][3:6] == [("New York", 13, 20), ("now", 22, 24), (".", 25, 25)]
    assert all(isinstance(word, Annotation) for word in names["again"])
    assert [tuple(row) for row in names["long_words"]] == [("They", 0), ("live", 5)]
    out = capsys.readouterr().out
    assert f"Version: {albert_fast.__version__} {albert_fast.__version__}" in out
    assert " |-- words: array (nullable = true)\n |    |-- element: struct" in out


def test_star_imports_give_what_spark_nlp_gives() -> None:
    names = run("from sparknlp.base import *\nfrom sparknlp.annotator import *\nfrom sparknlp.common import *")
    for name in (
        "DocumentAssembler", "Doc2Chunk", "EmbeddingsFinisher", "Finisher", "LightPipeline", "RecursivePipeline",
        "Pipeline", "PipelineModel", "SentenceDetector", "Tokenizer", "TokenizerModel", "AlbertEmbeddings",
        "SentenceEmbeddings", "ChunkEmbeddings", "AnnotatorType", "ReadAs",
    ):  # fmt: skip
        assert name in names, name


# ------------------------------------------------------------------------------------------------ missing names


@pytest.mark.parametrize(
    ("module", "name", "there"),
    [
        ("annotator", "BertEmbeddings", "AlbertEmbeddings"),
        ("annotator", "AlbertForTokenClassification", "AlbertEmbeddings"),
        ("base", "MultiDocumentAssembler", "DocumentAssembler"),
        ("pretrained", "ResourceDownloader", "PretrainedPipeline"),
        ("common", "AnnotatorApproach", "AnnotatorType"),
        ("", "functions", "AlbertEmbeddings"),
        ("", "BertEmbeddings", "AlbertEmbeddings"),
    ],
)
def test_classes_that_are_not_here_are_refused_with_what_is(module: str, name: str, there: str) -> None:
    path = f"albert_fast.{module}".rstrip(".")
    message = rf"^{path} has no '{name}': .* {path} has .*{there}.* docs/from-spark-nlp.md says"
    with pytest.raises(ImportError, match=message):
        exec(f"from {path} import {name}", {})
    found = importlib.import_module(path)
    assert not hasattr(found, name)
    assert getattr(found, name, None) is None
    with pytest.raises(AttributeError, match=message):
        getattr(found, name)
    with pytest.raises(AttributeError, match=r"^module '.*' has no attribute '__wrapped__'$"):
        found.__wrapped__  # noqa: B018
