"""Safety first: a concerning message is answered before any form, rule or practice."""

from __future__ import annotations

from typing import Any

from rasa.core.featurizers.tracker_featurizers import TrackerFeaturizer
from rasa.core.policies.policy import Policy, PolicyPrediction, SupportedData
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

RESPOND = "action_respond_to_risk"
PRIORITY = "priority"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=False)
class SafetyFirstPolicy(Policy):
    """Predicts the response to risk, once, for a message that the gateway or the rules marked; else has no opinion."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"priority": 100}

    @staticmethod
    def supported_data() -> SupportedData:
        return SupportedData.ML_AND_RULE_DATA

    @classmethod
    def _create_featurizer(cls, *_: Any, **__: Any) -> TrackerFeaturizer | None:
        return None

    def train(self, training_trackers: list[TrackerWithCachedStates], domain: Domain, **kwargs: Any) -> Resource:
        """There is nothing to learn."""
        return self._resource

    def predict_action_probabilities(
        self, tracker: DialogueStateTracker, domain: Domain, rule_only_data: Any = None, **kwargs: Any
    ) -> PolicyPrediction:
        """The response first, then listening.

        An active form counts for Rasa as a prediction without the user, which overrules all others whatever their
        priority; so does this one, with the higher priority.
        """
        scores = self._default_predictions(domain)
        message = tracker.latest_message
        following = {ACTION_LISTEN_NAME: RESPOND, RESPOND: ACTION_LISTEN_NAME}.get(str(tracker.latest_action_name))
        if message is None or (message.intent or {}).get("name") != PRIORITY or following is None:
            return self._prediction(scores)
        scores[domain.index_for_action(following)] = 1.0
        return self._prediction(scores, is_no_user_prediction=True)

    def persist(self) -> None:
        """There is nothing to keep."""
