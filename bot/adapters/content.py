"""Reads the authored content under data/ once, checks all of it, and hands out one immutable library.

Anything that cannot be run as written stops the start with a sentence that names the file. Source: protocol, whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from bot.core.flow.content import (
    ContentError,
    Flow,
    GroundingOrder,
    Library,
    Step,
    Variants,
    compile_grounding,
    compile_practice,
    compile_question,
    compile_response_flow,
)
from bot.core.flow.expressions import Expression
from bot.core.flow.render import slots_of

_FOLDERS = ("practices", "safety/flows", "sitting", "consent", "faq")
_FILES = ("safety/shared.yml", "clinic.yml")
_PLACES = frozenset(
    {
        "gate",
        "menu",
        "closing",
        "summary",
        "grounding",
        "grounding.outward",
        "end_clear",
        "safety.clarify_generic.end_clear",
        "medical_by_pattern",
        "end_account",
    }
)


def load_library(data: Path) -> Library:
    """Load and check the content. Raises ContentError naming the file or step that cannot be used."""
    version = _version(data)
    practices = [_read(path) for path in sorted((data / "practices").glob("*.yml"))]
    shared = _read(data / "safety/shared.yml")
    responses = [_read(path) for path in sorted((data / "safety/flows").glob("*.yml"))]
    sitting = {key: value for path in sorted((data / "sitting").glob("*.yml")) for key, value in _read(path).items()}
    faq = {row["id"]: row for row in _read(data / "faq/faq.yml")["faq"]}
    grounding = next(p for p in practices if p["practice"]["id"] == "grounding")
    flows: dict[str, Flow] = {"grounding": compile_grounding(grounding)}
    for practice in practices:
        if practice is not grounding:
            flows[practice["practice"]["id"]] = compile_practice(practice)
    for response in responses:
        for flow in compile_response_flow(response, shared["safety_shared"]):
            flows[flow.id] = flow
    flows.update({flow.id: flow for flow in _own_flows(shared, sitting, flows)})
    library = Library(
        flows=flows,
        texts=_texts(shared, sitting, responses, _read(data / "clinic.yml")),
        faq={name: tuple(row["answer_text"]) for name, row in faq.items()},
        crisis_card=tuple(shared["safety_shared"]["crisis_card"]["lines"]),
        grounding=_grounding_order(grounding["practice"]),
        fields=sitting["summary_fields"],
        decision_patterns={k: tuple(v["patterns"]) for k, v in sitting["decision_guard"].items() if "patterns" in v},
        short_questions={
            phase: (tuple(row["prompt"]), row["field"])
            for phase, row in sitting["short_version"]["one_question"].items()
        },
        body_places=tuple(sitting["body_places"]),
        clinic={},
        onboarding=tuple(_read(data / "consent/onboarding.yml")["onboarding"]),
        version=version,
    )
    _check_targets(library)
    return library


def _own_flows(shared: Mapping[str, Any], sitting: Mapping[str, Any], flows: Mapping[str, Flow]) -> Iterable[Flow]:
    """Flows of one question each, from the sitting, summary and shared safety texts."""
    safety, texts = shared["safety_shared"], sitting["sitting"]
    yield compile_question("sitting.resume_offer", texts["resume_offer"])
    yield compile_question("sitting.suggest", texts["suggest"])
    yield compile_question("sitting.menu_after_no", texts["menu_after_no"])
    yield compile_question("sitting.between_practices", texts["between_practices"])
    yield compile_question("phase_unknown", {**sitting["phase_texts"]["unknown"], "field": "meta.stated_phase"})
    summary = sitting["summary"]
    yield compile_question(
        "summary",
        {
            "prompt": summary["intro"]["prompt"],
            "answer": {"type": "summary", "skippable": False, "options": summary["choose"]["answer"]["options"]},
        },
    )
    yield compile_question("discard_confirm", summary["discard_confirm"])
    yield compile_question("safety_shared.collect_phone", safety["collect_phone"] | {"field": "screen.phone"})
    stay = {"prompt": safety["stay"]["say"], "answer": {"type": "text", "skippable": False}}
    yield compile_question("safety_shared.stay", stay)
    after = safety["aftercare"]
    yield compile_question("safety_shared.aftercare", after)
    go_on = [{"value": "go_on", "label": "Go on"}, *after["options"]]
    yield compile_question("safety_shared.aftercare_go_on", {"prompt": after["prompt"]}, options=go_on)
    chest = compile_question("medical.clarify_chest", shared["safety_clarify_chest"])
    yield _as_response(chest, category="medical", seconds=600)
    screen = flows["suicide.screen"]
    company = {name: screen.steps[name] for name in ("sc_company", "sc_space")}
    yield Flow(
        id="suicide.company",
        steps=company,
        order=tuple(company),
        kind="response",
        category="suicide",
        resume="R2",
        silence_seconds=screen.silence_seconds,
    )
    asked = {name: step for name, step in screen.steps.items() if name not in company}
    yield _replace_steps(screen, asked)
    yield _short_flow(sitting["short_version"])


def _as_response(flow: Flow, *, category: str, seconds: int) -> Flow:
    return Flow(
        id=flow.id,
        steps=flow.steps,
        order=flow.order,
        kind="response",
        category=category,
        say=tuple(v for step in flow.steps.values() for v in step.say) and (),
        silence_seconds=seconds,
        silence_level="urgent",
    )


def _replace_steps(flow: Flow, steps: Mapping[str, Step]) -> Flow:
    return Flow(
        id=flow.id,
        steps=steps,
        order=tuple(steps),
        kind=flow.kind,
        category="suicide",
        say=flow.say,
        silence_seconds=flow.silence_seconds,
        silence_level=flow.silence_level,
    )


def _short_flow(raw: Mapping[str, Any]) -> Flow:
    one = compile_question(
        "short_one",
        {
            "prompt": raw["one_question"]["open_integration"]["prompt"],
            "field": "freeform",
            "answer": {"type": "text", "skippable": True},
        },
    )
    two = compile_question("short_two", {**raw["second_line"], "field": "freeform"})
    first, second = one.steps["short_one"], two.steps["short_two"]
    return Flow(
        id="short",
        steps={"short_one": first, "short_two": second},
        order=("short_one", "short_two"),
        kind="practice",
        label="A short check-in",
    )


def _texts(
    shared: Mapping[str, Any],
    sitting: Mapping[str, Any],
    responses: Iterable[Mapping[str, Any]],
    clinic: Mapping[str, Any],
) -> dict[str, tuple[Variants, ...]]:
    texts: dict[str, tuple[Variants, ...]] = {}
    for name, raw in shared["safety_shared"].items():
        if "say" in raw:
            texts[f"safety_shared.{name}"] = _say(raw["say"])
    texts["safety_shared.gentle_screen"] = _say(shared["gentle_screen"]["say"])
    texts["safety_shared.locked_screen"] = _say(shared["locked_screen"]["say"])
    for name, raw in sitting["sitting"].items():
        if "say" in raw:
            texts[f"sitting.{name}"] = _say(raw["say"])
        if "say_one_of" in raw:
            texts[f"sitting.{name}"] = (tuple(raw["say_one_of"]),)
    for name, raw in sitting["summary"].items():
        if "say" in raw:
            texts[f"summary.{name}"] = _say(raw["say"])
    for name, raw in sitting["phase_texts"].items():
        phase = {"completed_program": "completed"}.get(name, name)
        if "say" in raw:
            texts[f"phase.{phase}"] = _say(raw["say"])
    for name, raw in sitting["returning"].items():
        if "say_one_of" in raw:
            texts[f"returning.{name}"] = (tuple(raw["say_one_of"]),)
        elif "say" in raw:
            texts[f"returning.{name}"] = _say(raw["say"])
    for name, lines in sitting["steering_texts"].items():
        texts[f"steering.{name}"] = _say(lines)
    for name, raw in sitting["coach_texts"].items():
        texts[f"coach.{name}"] = _say(raw["say"])
    for name, lines in sitting["decision_guard"].items():
        if name.endswith("_say"):
            texts[f"decision_guard.{name}"] = _say(lines)
    texts["short_version.offer"] = (tuple(sitting["short_version"]["offer"]["prompt"]),)
    texts.update(_response_texts(responses))
    for name, line in clinic["contact_expectation"].items():
        texts[f"contact_expectation.{name}"] = ((line,),)
    return texts


def _response_texts(responses: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Variants, ...]]:
    """The pieces of response flows that are spoken by name: outcomes of the screen, variants, extra lines."""
    texts: dict[str, tuple[Variants, ...]] = {}
    for response in responses:
        flow = response["flow"]
        for name, raw in (flow.get("variants") or {}).items():
            texts[f"{flow['id']}.variant.{name}"] = _say(raw["say"])
        if flow["id"] == "suicide.screen":
            names = ("emergency", "ideation", "denied", "cleared", "past", "unanswered")
            for name, outcome in zip(names, flow["outcomes"]):
                texts[f"screen.{name}"] = _say(outcome["say"])
            texts["screen.reprompt"] = _say(flow["reprompt"])
        for key, subtype in (
            ("child", "child"),
            ("memory_line", "memory"),
            ("bp_say", "bp"),
            ("driving_say", "driving"),
        ):
            if key in flow:
                raw = flow[key]
                texts[f"{flow['id']}.{subtype}"] = _say(raw["say"] if isinstance(raw, Mapping) else raw)
        if "end_clear" in flow:
            texts["safety.end_clear"] = _say(flow["end_clear"]["say"])
    return texts


def _grounding_order(practice: Mapping[str, Any]) -> GroundingOrder:
    picker = practice["picker"]
    return GroundingOrder(
        by_state={name: tuple(ids) for name, ids in picker["order_by_state"].items()},
        outward_only=tuple(picker["outward_only"]),
        outward_when=Expression(picker["outward_only_when"]),
        names={row["id"]: row["name"] for row in practice["practices"]},
        most_shown=int(picker["max_shown"]),
    )


def _check_targets(library: Library) -> None:
    """Every place that content leads to exists (protocol, appendix D item 6)."""
    known = set(library.flows) | _PLACES
    for flow in library.flows.values():
        for step in flow.steps.values():
            targets = [
                step.next,
                *(branch.goto for branch in step.branches),
                *(branch.if_close for branch in step.branches),
            ]
            targets.append(step.follow_on.value if step.follow_on else None)
            for target in targets:
                if target is not None and target not in known and target not in flow.steps:
                    raise ContentError(f"{flow.id}, step {step.id}: there is no {target} to go to")
            for branch in step.branches:
                if branch.faq is not None and branch.faq not in library.faq:
                    raise ContentError(f"{flow.id}, step {step.id}: there is no answer {branch.faq}")
    for variants in (v for group in library.texts.values() for v in group):
        for text in variants:
            slots_of(text)


def _say(raw: Any) -> tuple[Variants, ...]:
    return tuple((str(line),) for line in raw)


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ContentError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(loaded, dict):
        raise ContentError(f"{path.name} holds no content")
    return loaded


def _version(data: Path) -> str:
    digest = hashlib.sha256()
    paths = [p for folder in _FOLDERS for p in (data / folder).glob("*.yml")] + [data / name for name in _FILES]
    for path in sorted(paths):
        digest.update(path.relative_to(data).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
