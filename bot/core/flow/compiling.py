"""From parsed YAML (plain dicts) to the records of bot.core.flow.content.

Reads no files and raises ContentError, naming the flow and step, for what it does not understand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.core.flow.content import AlertSpec, AnswerSpec, Branch, ContentError, Flow, Step, Variants
from bot.core.flow.expressions import Expression
from bot.core.flow.render import slots_of
from bot.core.flow.speech import AnswerType, Option

_HARM_ONLY = re.compile(r"text mentioned abuse or harm; else coach note only$")  # protocol 3.4, jr_past_care


def compile_practice(source: Mapping[str, Any], skip_to: Mapping[str, str]) -> Flow:
    """A practice of protocol 3 from its parsed YAML, with the places that skips lead to."""
    data = source["practice"]
    where = data["id"]
    steps: list[Step] = []
    for raw in data["steps"]:
        steps.extend(replace(step, skip_to=skip_to.get(step.id)) for step in _practice_step(raw, where))
    order = tuple(step.id for step in steps)
    offered = data.get("offered", {})
    modes = {
        "short": data.get("short_steps", ()),
        "harvest": data.get("harvest_only_steps", ()),
        "preparation": data.get("preparation_phase_steps", ()),
    }
    return Flow(
        id=where,
        steps={step.id: step for step in steps},
        order=order,
        label=data["patient_label"],
        minutes=int(data["minutes"]),
        phases=frozenset(offered.get("phases", ())),
        requires=_expression(_known_requirement(offered.get("requires"))),
        modes={name: tuple(ids) for name, ids in modes.items() if ids},
        phase_notes={phase: _messages(row["say"]) for phase, row in (data.get("phase_note") or {}).items()},
    )


def compile_response_flow(source: Mapping[str, Any], shared: Mapping[str, Any]) -> tuple[Flow, ...]:
    """A response flow of protocol 6.5 from its parsed YAML; `clarify_generic` gives one flow per category."""
    data = source["flow"]
    where = str(data["id"])
    category, _, name = where.partition(".")
    if "by_category" in data:
        return tuple(_clarifier(where, key, value, data) for key, value in data["by_category"].items())
    steps = [
        _ask(raw, where, skip_if=(data.get("skip_if") or {}).get(raw["id"]), shared=shared)
        for raw in data.get("ask", ())
    ]
    steps += [_ask(raw, where, skip_if=None, shared=shared) for raw in data.get("after_outcome_if_urgent", ())]
    if data.get("mc_blood_show_if"):
        steps = [replace(s, show_if=_expression("urinary")) if s.id == "mc_blood" else s for s in steps]
    level = data.get("level") or (name if name in {"emergency", "urgent", "concern"} else None)
    if where == "abuse.clinic_boundary":
        level = "urgent"
    say = _messages(data.get("say"))
    end = (data.get("end") or {}).get("goto") or data.get("ask_flow")
    otherwise = data.get("otherwise")
    if otherwise:
        steps.append(
            Step(
                id=f"{where}.otherwise",
                say=_messages(otherwise["say"]),
                alert=AlertSpec(category="psychosis_mania", level="concern", reason=where),
            )
        )
    timeout = data.get("timeout") or {}
    seconds = timeout.get("seconds") or (data.get("timeouts") or {}).get("per_question_seconds")
    return (
        Flow(
            id=where,
            steps={step.id: step for step in steps},
            order=tuple(step.id for step in steps),
            kind="response",
            say=say,
            crisis=level == "emergency",
            resume=data.get("resume"),
            staff=data.get("staff"),
            level=level,
            category=category if category != "safety" else None,
            end=end,
            parts_line=data.get("first_bubble_if_parts_language"),
            silence_seconds=int(seconds) if seconds else None,
            silence_level="urgent" if seconds else None,
        ),
    )


def _clarifier(where: str, category: str, value: Mapping[str, Any], data: Mapping[str, Any]) -> Flow:
    step = _ask({"id": f"clarify_{category}", **value}, where, skip_if=None, shared={})
    return Flow(
        id=f"{where}.{category}",
        steps={step.id: step},
        order=(step.id,),
        kind="response",
        category=category,
        silence_seconds=int(data["timeout"]["seconds"][category]),
        silence_level="urgent",
    )


def _practice_step(raw: Mapping[str, Any], where: str) -> Iterable[Step]:
    step_id = raw["id"]
    ask = raw.get("ask") or {}
    prompts = raw.get("prompt") or ask.get("prompt") or ()
    answer_raw = raw.get("answer") or ask.get("answer")
    answer = None if answer_raw is None else _answer(answer_raw)
    say = _messages(raw.get("say"))
    if answer is not None and not prompts:  # the last message carries the buttons
        prompts, say = say[-1], say[:-1]
    acks = raw.get("ack") or ()
    loop = raw.get("loop") or {}
    alert = raw.get("alert") or {}
    branches: list[Branch] = []
    extra: list[Step] = []
    for entry in raw.get("branches", ()):
        branch = _branch(entry, where, step_id)
        if "answer" in entry:  # a line of text invited by the branch itself
            detail = Step(
                id=f"{step_id}_detail",
                prompts=branch.say[-1],
                say=branch.say[:-1],
                answer=_answer(entry["answer"]),
                field=f"{raw['field']}_detail",
                next=raw.get("next"),
            )
            extra.append(detail)
            branch = replace(branch, say=(), goto=detail.id)
        branches.append(branch)
    skippable = bool(raw.get("skippable", answer is not None and answer.type is not AnswerType.none))
    follow = raw.get("offer_after")
    yield Step(
        id=step_id,
        prompts=_variants(prompts),
        say=say,
        answer=answer,
        skippable=skippable,
        field=raw.get("field"),
        default=raw.get("default"),
        branches=tuple(branches),
        next=raw.get("next") or raw.get("goto"),
        acks=() if isinstance(acks, Mapping) else _variants(acks),
        acks_by_value=acks if isinstance(acks, Mapping) else {},
        show_if=_expression(raw.get("show_if")),
        skip_if=_expression(raw.get("skip_if")),
        counter=loop.get("counter"),
        counter_max=loop.get("max"),
        seconds=raw.get("timer_seconds"),
        small_print=(raw.get("small_print") or {}).get("label"),
        guard=raw.get("guard") == "decision_guard",
        tender_stop=raw.get("on_tender_hit"),
        set=raw.get("set") or {},
        alert=_alert(alert),
        alert_if=_expression(str(alert["only_if"]).replace("answer ==", "value ==")) if alert.get("only_if") else None,
        follow_on=None if not follow else Option(value=follow["goto"], label=follow["label"]),
    )
    yield from extra


def _ask(raw: Mapping[str, Any], where: str, *, skip_if: str | None, shared: Mapping[str, Any]) -> Step:
    answers: Mapping[str, Any] = raw.get("on_answer") or {}
    answer = (
        _answer(raw["answer"])
        if "answer" in raw
        else AnswerSpec(type=AnswerType.choice, options=_options(raw["options"]), safety=True)
    )
    branches: list[Branch] = []
    for value, outcome in answers.items():
        when, goto = f"value == '{value}'", outcome.get("goto") or outcome.get("then")
        if "if" in outcome:
            other = outcome.get("else", "continue")
            branches.append(_outcome(f"{when} and {outcome['if']}", outcome, goto))
            if other != "continue":
                branches.append(_outcome(when, {}, other))
        else:
            branches.append(_outcome(when, outcome, goto))
    return Step(
        id=raw["id"],
        prompts=_variants(raw["prompt"]),
        answer=answer,
        skippable="skip" not in {option.value for option in answer.options},
        field=f"screen.{raw['id']}",
        branches=tuple(branches),
        skip_if=_expression(skip_if.replace("prefilled", f"prefilled_{raw['id']}")) if skip_if else None,
    )


def _outcome(when: str, outcome: Mapping[str, Any], goto: str | None) -> Branch:
    update = outcome.get("alert_update") or {}
    alert = None
    if outcome.get("level"):
        alert = AlertSpec(category="psychosis_mania", level=outcome["level"], reason="still unreal or far away")
    restrict = str(outcome.get("set", ""))
    return Branch(
        when=Expression(when),
        say=_messages(outcome.get("say")),
        goto=goto,
        faq=outcome.get("faq"),
        set={"restricted_staff": restrict.partition("+=")[2].strip()} if restrict else {},
        alert=alert,
        note=update.get("severity"),
    )


def _branch(entry: Mapping[str, Any], where: str, step_id: str) -> Branch:
    try:
        when = Expression(str(entry["when"]))
    except ValueError as error:
        raise ContentError(f"{where}.{step_id}: {error}") from error
    say = _messages(entry.get("say"))
    if entry.get("say_one_of"):
        say = (_variants(entry["say_one_of"]),)
    close = entry.get("then_if_close")
    return Branch(
        when=when,
        say=say,
        goto=entry.get("goto"),
        offer=_options(entry.get("offer", ())),
        set=entry.get("set") or {},
        alert=_alert(entry.get("alert") or {}),
        if_close=close,
        faq=entry.get("faq"),
        most=entry.get("max"),
    )


def _alert(raw: Mapping[str, Any]) -> AlertSpec | None:
    if not raw:
        return None
    escalate = re.match(r"urgent if (.+?)(?: or gate matches urgent content)?$", str(raw.get("escalate", "")))
    only_if = _HARM_ONLY.match(str(raw.get("only_if", "")))
    return AlertSpec(
        category=raw["category"],
        level=raw["level"],
        reason=raw["reason"],
        to=raw.get("to"),
        urgent_if=Expression(escalate.group(1)) if escalate else None,
        only_if=Expression("harm_mentioned") if only_if else None,
        otherwise_note="past_scene" if only_if else None,
    )


def _answer(raw: Mapping[str, Any]) -> AnswerSpec:
    kind = raw["type"]
    if kind == "choice_from_entries":
        return AnswerSpec(type=AnswerType.choice, sources=tuple(raw["sources"]), with_text=True)
    return AnswerSpec(
        type=AnswerType(kind),
        options=_options(raw.get("options", ())),
        minimum=int(raw.get("min", 0)),
        maximum=int(raw.get("max", 10)),
        safety=bool(raw.get("safety") or raw.get("gate")),
        with_word=bool(raw.get("with_word")),
        with_text=bool(raw.get("with_text")),
        multiple=bool(raw.get("multiple")) and kind == "body",
        extra=tuple(raw.get("extra", ())),
        routes=tuple(raw.get("route_choice", ())),
    )


def _options(raw: Sequence[Any]) -> tuple[Option, ...]:
    return tuple(
        Option(value=item, label=item.replace("_", " ").capitalize())
        if isinstance(item, str)
        else Option(value=str(item["value"]), label=item["label"])
        for item in raw
    )


def _expression(source: str | None) -> Expression | None:
    return None if source is None else Expression(source)


def _known_requirement(source: str | None) -> str | None:
    return "has_something_to_revisit" if source and source.startswith("has at least one of") else source


def _messages(raw: Sequence[str] | None) -> tuple[Variants, ...]:
    return tuple(_variants([text]) for text in raw or ())


def _variants(raw: Sequence[str]) -> Variants:
    for text in raw:
        slots_of(text)
    return tuple(raw)


def compile_grounding(source: Mapping[str, Any]) -> Flow:
    """The family of settling practices (protocol 3.3) as one flow: pick, do, rate, and what follows from the rating."""
    data = source["practice"]
    after = data["after_each"]
    steps = [
        Step(id="gr_pick", prompts=_variants(data["picker"]["prompt"]), answer=AnswerSpec(type=AnswerType.choice)),
        *(
            Step(
                id=practice["id"],
                say=_messages(practice["say"][:-1]),
                prompts=_variants(practice["say"][-1:]),
                answer=AnswerSpec(type=AnswerType.none),
                skippable=False,
                seconds=practice["seconds"],
                next="gr_rate",
                show_if=_expression(practice.get("requires")),
            )
            for practice in data["practices"]
        ),
        Step(
            id="gr_rate",
            prompts=_variants(after["rerate"]["prompt"]),
            answer=_answer(after["rerate"]["answer"]),
            field="grounding.activation_after",
            next="gr_presence",
        ),
        Step(
            id="gr_presence",
            prompts=_variants(after["rerate_presence_if_low"]["prompt"]),
            answer=_answer(after["rerate_presence_if_low"]["answer"]),
            field="grounding.presence_after",
            show_if=_expression("presence <= 3"),
            next="gr_after",
        ),
        Step(id="gr_after", branches=tuple(_branch(entry, "grounding", "gr_after") for entry in after["branches"])),
    ]
    return Flow(
        id="grounding",
        steps={step.id: step for step in steps},
        order=tuple(step.id for step in steps),
        label=data["patient_label"],
        minutes=int(data["minutes"]),
        phases=frozenset(data["offered"]["phases"]),
        say=_messages(data["general_note"]["say"]),
    )


def compile_question(flow_id: str, raw: Mapping[str, Any], *, options: Sequence[Any] | None = None) -> Flow:
    """A flow of one question, such as the pieces of `sitting:`, `summary:` and `safety_shared:`."""
    answer_raw = dict(raw.get("answer") or {"type": "choice", "options": options or raw.get("options") or ()})
    answer = _answer(answer_raw)
    step = Step(
        id=flow_id,
        say=_messages(raw.get("say")) if raw.get("prompt") else (),
        prompts=_variants(raw.get("prompt") or raw.get("say") or ()),
        answer=answer,
        skippable=bool(answer_raw.get("skippable", answer.type in {AnswerType.text, AnswerType.short_text})),
        field=raw.get("field"),
        branches=tuple(_outcome(f"value == '{v}'", o, o.get("goto")) for v, o in (raw.get("on_answer") or {}).items()),
    )
    return Flow(id=flow_id, steps={flow_id: step}, order=(flow_id,), kind="sitting")
