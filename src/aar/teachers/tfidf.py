"""A bag of words under logistic regression: the weakest teacher, and one that shares no weights with the student.

Pairs are read as the difference of the two responses' TF-IDF vectors, so that swapping them turns the label round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import spmatrix

from aar.errors import Unsupported
from aar.models import texts
from aar.teachers.base import SHARE, draw, teachers
from aar.types import Ability, Fit, Model, Net, Rows, Side


@dataclass(frozen=True)
class BagOfWords:
    """A fitted teacher: `predict` is all it can do."""

    vectorizer: Any
    classifier: Any
    name: str = "tfidf"
    can: frozenset[Ability] = frozenset()

    def vectors(self, rows: Rows) -> spmatrix:
        sides = [self.vectorizer.transform(side) for side in zip(*map(texts.of, rows.texts), strict=True)]
        return sides[1] - sides[0] if rows.kind == "pair" else sides[0]

    def predict(self, rows: Rows) -> np.ndarray:
        return self.classifier.predict_proba(self.vectors(rows))[:, 1].astype(np.float32)

    def features(self, rows: Rows, layer: int | None = None, side: Side = "diff") -> np.ndarray:
        raise Unsupported("the tfidf teacher has no hidden states")

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]]) -> np.ndarray:
        raise Unsupported("the tfidf teacher is no language model")

    def generate(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
    ) -> list[list[str]]:
        raise Unsupported("the tfidf teacher is no language model")

    def fit(self, fits: Sequence[Fit]) -> list[Model]:
        raise Unsupported("the tfidf teacher is trained by the lab alone")

    def open(self, seed: int = 0) -> Net:
        raise Unsupported("the tfidf teacher is no network")


@dataclass(frozen=True)
class TfidfTeacher:
    reads: None = None
    share: float = SHARE

    def fit(self, rows: Rows, labels: np.ndarray, seed: int, base: Model | None) -> Model:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        seen = draw(len(rows), seed, self.share)
        few = rows.take(seen)
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]")
        vectorizer.fit(texts.flat(few.texts))
        # no intercept for pairs: exchanging the two responses must turn the answer round
        classifier = LogisticRegression(C=3.0, max_iter=500, fit_intercept=rows.kind == "binary")
        bag = BagOfWords(vectorizer, classifier)
        classifier.fit(bag.vectors(few), labels[seen].astype(int))
        return bag


teachers.register("tfidf")(TfidfTeacher())
