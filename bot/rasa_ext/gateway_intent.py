"""The gateway's verdict decides before the classifier's guess."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List  # Rasa compares signatures with these very types

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.core.safety.verdict import AssessmentContext, verdict_from_json

if TYPE_CHECKING:
    from bot.adapters.language.assess import Assessor

PRIORITY = "priority"
ROOT = Path(__file__).resolve().parents[2]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class GatewayIntent(GraphComponent):
    """Sets the intent from what the gateway knows: a concerning message is `priority`. (Taps never come here.)

    Where no verdict came along (a developer's shell), the rules assess the text here. It can only raise.
    """

    def __init__(self) -> None:
        self._assessor: Assessor | None = None  # a developer's shell only; heavy to load

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
        return messages

    def _interrupts(self, message: Message, metadata: Dict[str, Any]) -> bool:
        if metadata.get("verdict"):
            return verdict_from_json(metadata["verdict"]).interrupts
        if self._assessor is None:
            from bot.adapters.language.assess import load_assessor

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
