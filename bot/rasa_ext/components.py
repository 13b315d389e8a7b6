"""NLU components of ours: the gateway's verdict decides first, and questions of the FAQ are told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List  # Rasa compares signatures with these very types

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from bot.adapters.language.assess import Assessor, load_assessor
from bot.core.safety.verdict import AssessmentContext, verdict_from_json

PRIORITY = "priority"
FAQ = "faq"
LEAST_WEIGHT = 0.02  # below it a message is no question of the FAQ
MOST_QUESTIONS = 3
ROOT = Path(__file__).resolve().parents[2]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class GatewayIntent(GraphComponent):
    """Sets the intent from what the gateway knows: a concerning message is `priority`, a button's answer is `inform`.

    Where no verdict came along (a developer's shell), the rules assess the text here. It can only raise.
    """

    def __init__(self) -> None:
        self._assessor: Assessor | None = None

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> GatewayIntent:
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        """Put the gateway's knowledge before the classifier's guess."""
        for message in messages:
            metadata = message.get("metadata") or {}
            if self._interrupts(message, metadata):
                _set_intent(message, PRIORITY)
            elif metadata.get("control_id"):
                _set_intent(message, "inform")
        return messages

    def _interrupts(self, message: Message, metadata: Dict[str, Any]) -> bool:
        if metadata.get("verdict"):
            return verdict_from_json(metadata["verdict"]).interrupts
        if metadata.get("control_id"):
            return False
        if self._assessor is None:
            self._assessor = load_assessor(ROOT / "data" / "safety")
        return self._assessor.assess(str(message.get(TEXT) or ""), AssessmentContext()).interrupts

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data


def _set_intent(message: Message, name: str) -> None:
    """The intent and the ranking: Rasa's tracker reads the latter."""
    first = {"name": name, "confidence": 1.0}
    rest = [row for row in message.get("intent_ranking") or [] if row["name"] != name]
    message.set("intent", first, add_to_output=True)
    message.set("intent_ranking", [first, *rest], add_to_output=True)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class FaqSelector(GraphComponent):
    """Tells the questions of the FAQ apart, by meaning and character n-grams; trains in seconds, no TensorFlow.

    Its ranking says which question it would be if it is one; whether it is one is the classifier's to say.
    """

    def __init__(
        self,
        model_storage: ModelStorage,
        resource: Resource,
        letters: TfidfVectorizer | None = None,
        model: LogisticRegression | None = None,
    ) -> None:
        self._storage, self._resource, self._letters, self._model = model_storage, resource, letters, model

    @staticmethod
    def required_packages() -> List[str]:
        return ["sklearn"]

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> FaqSelector:
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> FaqSelector:
        import skops.io

        with model_storage.read_from(resource) as folder:
            path = Path(folder) / "faq.skops"
            letters, model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
        return cls(model_storage, resource, letters, model)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples of all `faq/…` intents."""
        import skops.io

        rows = [e for e in training_data.intent_examples if e.get(INTENT_RESPONSE_KEY)]
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        model = LogisticRegression(C=20.0, max_iter=200, random_state=0)
        spelled = letters.fit_transform([str(e.get(TEXT)) for e in rows])
        model.fit(_beside(spelled, rows), [str(e.get(INTENT_RESPONSE_KEY)) for e in rows])
        self._letters, self._model = letters, model
        with self._storage.write_to(self._resource) as folder:
            skops.io.dump((letters, model), Path(folder) / "faq.skops")
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Rank the questions for each message that may be one of them."""
        for message in messages:
            weights = {row["name"]: row["confidence"] for row in message.get("intent_ranking") or []}
            if self._model is None or self._letters is None or weights.get(FAQ, 0.0) < LEAST_WEIGHT:
                continue
            spelled = self._letters.transform([str(message.get(TEXT) or "")])
            scores = self._model.predict_proba(_beside(spelled, [message]))[0]
            best = scores.argsort()[::-1][:MOST_QUESTIONS]
            ranking = [
                {"intent_response_key": str(self._model.classes_[n]), "confidence": float(scores[n])} for n in best
            ]
            found = {"response": ranking[0], "ranking": ranking}
            message.set("response_selector", {FAQ: found}, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data


def _beside(spelled: Any, messages: List[Message]) -> Any:
    """The n-grams [messages, n-grams] and the sentence vectors [messages, 384] side by side."""
    vectors = [message.get_dense_features(TEXT)[1].features for message in messages]
    return hstack([spelled, csr_matrix(np.vstack(vectors))])
