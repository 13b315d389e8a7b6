"""Rasa's logistic regression with two of its settings opened."""

from __future__ import annotations

from typing import Any, Dict  # Rasa compares signatures with these very types

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier
from rasa.shared.nlu.training_data.training_data import TrainingData


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SteeringClassifier(LogisticRegressionClassifier):
    """Ranks intents as often as they occur: Rasa's own weighs all alike, and takes too many answers for commands.

    `C` is the inverse of the regularisation's strength.
    """

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {**LogisticRegressionClassifier.get_default_config(), "C": 1.0}

    def __init__(self, config: Dict[str, Any], name: str, model_storage: ModelStorage, resource: Resource) -> None:
        super().__init__(config, name, model_storage, resource)
        self.clf.set_params(C=self.config["C"], class_weight=None)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing behind it learns from its guesses on the examples."""
        return training_data
