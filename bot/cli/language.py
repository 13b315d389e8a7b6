"""What the assistant makes of a text: danger, command or answer."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

import click

from bot.cli.inputs import json_lines


@click.command()
@click.argument("source", type=click.File("r", encoding="utf-8"), default="-")
@click.option("--explain", "in_words", is_flag=True, help="Print each verdict in words: which words, rule and score.")
def assess(source: TextIO, in_words: bool) -> None:
    """Assess JSON lines {"id","text","phase"?,"history"?}; writes one verdict a line, in order."""
    from bot.adapters.language.assess import load_assessor
    from bot.core.safety.explain import explain
    from bot.core.safety.verdict import AssessmentContext
    from bot.settings import ROOT

    assessor = load_assessor(ROOT / "data/safety")
    failed = False
    for number, row in json_lines(source):
        if row is None or not isinstance(row.get("text"), str) or "id" not in row:
            click.echo(f'line {number}: needs a JSON object with "id" and "text"', err=True)
            failed = True
            continue
        context = AssessmentContext(
            phase=str(row.get("phase", "open_integration")), history=tuple(map(str, row.get("history", ())))
        )
        verdict = assessor.assess(row["text"], context)
        if in_words:
            click.echo("\n".join([f"{row['id']}: ", *explain(verdict, row["text"], assessor.thresholds)]))
            continue
        shape = verdict.as_json()
        shape.pop("subtype")
        click.echo(json.dumps({"id": row["id"], **shape}))
    sys.exit(1 if failed else 0)


@click.command()
@click.argument("source", type=click.File("r", encoding="utf-8"), default="-")
def interpret(source: TextIO) -> None:
    """Tell answers from commands: JSON lines {"id","text","context","step"?} to {"id","command","confidence"}.

    The context is idle, start_or_mid_step, mid_step, paused, end_of_entry or any; the step, where given, is one of the
    protocol's (such as cl_word). A command of null means: kept as the answer, or a question of the FAQ.
    """
    from bot.core.steering import CONTEXTS, context_of, decide
    from bot.supervisor.interpreting import heard

    failed = False
    rows: list[dict[str, Any]] = []
    for number, row in json_lines(source):
        if row is None or not isinstance(row.get("text"), str) or "id" not in row:
            click.echo(f'line {number}: needs a JSON object with "id" and "text"', err=True)
            failed = True
        elif row.get("context", "any") not in CONTEXTS:
            click.echo(f"line {number}: the context is one of {', '.join(CONTEXTS)}", err=True)
            failed = True
        else:
            rows.append(row)
    for row, understood in zip(rows, heard([row["text"] for row in rows]), strict=True):
        decision = decide(row["text"], understood, context_of(row.get("context", "any"), row.get("step")))
        click.echo(
            json.dumps({"id": row["id"], "command": decision.command, "confidence": round(decision.confidence, 4)})
        )
    sys.exit(1 if failed else 0)
