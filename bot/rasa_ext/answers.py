"""Checking what the action server answers, by Rasa's own schema, made ready once.

Rasa makes its schema ready, and checks the schema itself, for every single answer; that takes longer than all the rest
of a turn. The schema, what it refuses and what is raised then are Rasa's.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema.exceptions import best_match
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction


def check_schema_once() -> None:
    """Have all remote actions of this process use the schema that was made ready. Calling it again changes nothing."""
    RemoteAction._validate_action_result = _validate_action_result


@cache
def _schema() -> Validator:
    schema = RemoteAction.action_response_format_spec()
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def _validate_action_result(_: RemoteAction, result: dict[str, Any]) -> bool:
    """Whether an answer fits. Raises ValidationError."""
    error = best_match(_schema().iter_errors(result))
    if error is not None:
        error.message += ". The action server's answer is not of the form that Rasa reads."
        raise error
    return True
