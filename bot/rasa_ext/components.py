"""NLU components of ours: the gateway's verdict decides first, and questions of the FAQ are told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List  # Rasa compares signatures with these very types

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from bot.adapters.language.assess import Assessor, load_assessor
from bot.core.safety.verdict import AssessmentContext, verdict_from_json

PRIORITY = "priority"
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
    """Tells the questions of the FAQ apart, by character n-grams; light enough to train in seconds, no TensorFlow."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, model: Pipeline | None = None) -> None:
        self._storage, self._resource, self._model = model_storage, resource, model

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
            model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
        return cls(model_storage, resource, model)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples of all `faq/…` intents."""
        import skops.io

        rows = [e for e in training_data.intent_examples if e.get(INTENT_RESPONSE_KEY)]
        model = make_pipeline(
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
            LogisticRegression(C=20.0, max_iter=500, random_state=0),
        )
        model.fit([str(e.get(TEXT)) for e in rows], [str(e.get(INTENT_RESPONSE_KEY)) for e in rows])
        self._model = model
        with self._storage.write_to(self._resource) as folder:
            skops.io.dump(model, Path(folder) / "faq.skops")
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Name the closest question where the message was taken for one."""
        for message in messages:
            if self._model is not None and (message.get(INTENT) or {}).get("name") == "faq":
                scores = self._model.predict_proba([str(message.get(TEXT) or "")])[0]
                best = int(scores.argmax())
                found = {"intent_response_key": str(self._model.classes_[best]), "confidence": float(scores[best])}
                message.set("response_selector", {"faq": {"response": found}}, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data
