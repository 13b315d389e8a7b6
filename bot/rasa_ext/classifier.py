"""Ranks intents, and the questions of the FAQ, by one logistic regression over the sentence vectors."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List  # Rasa compares signatures with these very types

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

FAQ = "faq"
MOST_QUESTIONS = 3
FILE = "steering.npz"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SteeringClassifier(GraphComponent):
    """Ranks every intent as often as it occurs, and each retrieval intent by its questions; trains in seconds.

    `C` is the inverse of the regularisation's strength. A class is an intent or `faq/<question>`.
    """

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {"C": 3.0, "max_iter": 300}

    @staticmethod
    def required_packages() -> List[str]:
        return ["sklearn"]

    def __init__(self, config: Dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config, self._storage, self._resource = config, model_storage, resource
        self._classes: List[str] = []
        self._weights: npt.NDArray[np.float64] = np.zeros((0, 0))  # [classes, 385], the last column is the bias

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SteeringClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SteeringClassifier:
        found = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder, np.load(Path(folder) / FILE) as kept:
            found._classes, found._weights = list(kept["classes"]), kept["weights"]
        return found

    def train(self, training_data: TrainingData) -> Resource:
        """Learn one class per intent and one per question of a retrieval intent."""
        from sklearn.linear_model import LogisticRegression

        known = [(_vector(e), str(e.get(INTENT_RESPONSE_KEY) or e.get(INTENT))) for e in training_data.intent_examples]
        model = LogisticRegression(C=self._config["C"], max_iter=self._config["max_iter"], random_state=0)
        model.fit(np.stack([vector for vector, _ in known if vector is not None]), [name for _, name in known])
        self._classes = [str(name) for name in model.classes_]
        self._weights = np.hstack([model.coef_, model.intercept_[:, None]])
        with self._storage.write_to(self._resource) as folder:
            np.savez(Path(folder) / FILE, classes=np.array(self._classes), weights=self._weights)
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Set the intent, its ranking, and which questions of the FAQ the message may be."""
        for message in messages:
            vector = _vector(message)
            if vector is None or not self._classes:
                continue
            logits = self._weights @ np.append(vector, 1.0)
            shares = np.exp(logits - logits.max())
            self._report(message, dict(zip(self._classes, (shares / shares.sum()).tolist())))
        return messages

    def _report(self, message: Message, shares: Dict[str, float]) -> None:
        intents: Dict[str, float] = defaultdict(float)
        for name, share in shares.items():
            intents[name.split("/")[0]] += share
        ranking = [
            {"name": name, "confidence": share} for name, share in sorted(intents.items(), key=lambda row: -row[1])
        ]
        message.set("intent", ranking[0], add_to_output=True)
        message.set("intent_ranking", ranking, add_to_output=True)
        questions = sorted(((n, s) for n, s in shares.items() if n.startswith(f"{FAQ}/")), key=lambda row: -row[1])
        rows = [
            {"intent_response_key": name, "confidence": share / max(intents[FAQ], 1e-9)}
            for name, share in questions[:MOST_QUESTIONS]
        ]
        if rows:
            message.set("response_selector", {FAQ: {"response": rows[0], "ranking": rows}}, add_to_output=True)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing behind it learns from its guesses on the examples."""
        return training_data


def _vector(message: Message) -> npt.NDArray[np.float32] | None:
    """The sentence vector [384] that the featurizer left, or None where there is none."""
    features = message.get_dense_features(TEXT)[1]
    return None if features is None else features.features[0]
