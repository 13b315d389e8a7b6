"""Reads the authored content under data/ once, checks all of it, and hands out one immutable library.

Anything that cannot be run as written stops the start with a sentence that names the file. Source: protocol, whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from bot.core.flow.compiling import compile_grounding, compile_practice, compile_question, compile_response_flow
from bot.core.flow.content import ContentError, Flow, GroundingOrder, Library, Resource, Step, Variants
from bot.core.flow.expressions import Expression
from bot.core.flow.render import slots_of

_FOLDERS = ("practices", "safety/flows", "sitting", "consent", "faq", "resources")
_FILES = ("safety/shared.yml", "safety/openings.yml", "safety/plan.yml", "clinic.yml")
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
    """Load and check the content of a folder. Raises ContentError naming the file or step that cannot be used."""
    return compile_library(read_sources(data))


def read_sources(data: Path) -> dict[str, str]:
    """The text of every content file, by its path inside the folder. Raises ContentError for one that is missing."""
    paths = [p for folder in _FOLDERS for p in (data / folder).glob("*.yml")] + [data / name for name in _FILES]
    try:
        return {p.relative_to(data).as_posix(): p.read_text(encoding="utf-8") for p in sorted(paths)}
    except OSError as error:
        raise ContentError(f"the content under {data.name} cannot be read: {error}") from error


def is_content(path: str) -> bool:
    """Whether a path inside the data folder is one of the files that a library is made of."""
    folder, _, name = path.rpartition("/")
    return path in _FILES or (folder in _FOLDERS and name.endswith(".yml"))


def compile_library(sources: Mapping[str, str]) -> Library:
    """The library of these files (path to text): of today's, or of a version that an open sitting began with."""
    read = {path: _parse(path, text) for path, text in sources.items()}
    practices = [row for path, row in read.items() if path.startswith("practices/")]
    responses = [row for path, row in read.items() if path.startswith("safety/flows/")]
    sitting = {key: value for path, row in read.items() if path.startswith("sitting/") for key, value in row.items()}
    shared = read["safety/shared.yml"]
    faq = {row["id"]: row for row in read["faq/faq.yml"]["faq"]}
    grounding = next(p for p in practices if p["practice"]["id"] == "grounding")
    flows: dict[str, Flow] = {"grounding": compile_grounding(grounding)}
    for practice in practices:
        if practice is not grounding:
            flows[practice["practice"]["id"]] = compile_practice(practice, sitting["skip_to"])
    for response in responses:
        for flow in compile_response_flow(response, shared["safety_shared"]):
            flows[flow.id] = flow
    plan = read["safety/plan.yml"]["staying_safe"]
    flows.update({flow.id: flow for flow in _own_flows(shared, sitting, flows, plan)})
    flows["staying_safe"] = _plan_flow(plan)
    flows.update(_with_openings(flows, read["safety/openings.yml"]["openings"]))
    library = Library(
        flows=flows,
        texts=_texts(shared, sitting, responses, read["clinic.yml"], plan),
        faq={name: tuple(row["answer_text"]) for name, row in faq.items()},
        faq_routes={name: str(row["route"]) for name, row in faq.items()},
        crisis_card=tuple(shared["safety_shared"]["crisis_card"]["lines"]),
        grounding=_grounding_order(grounding["practice"]),
        fields=sitting["summary_fields"],
        decision_patterns={k: tuple(v["patterns"]) for k, v in sitting["decision_guard"].items() if "patterns" in v},
        short_questions={
            phase: (tuple(row["prompt"]), row["field"])
            for phase, row in sitting["short_version"]["one_question"].items()
        },
        body_places=tuple(sitting["body_places"]),
        tips={
            phase: tuple((tip["id"], tip["answer_text"]) for tip in raw.get("tips", ()))
            for phase, raw in sitting["phase_texts"].items()
        },
        notes=sitting["team_notes"],
        onboarding=tuple(read["consent/onboarding.yml"]["onboarding"]),
        resources=tuple(_resources(read, grounding["practice"])),
        version=_version(sources),
        sources=dict(sources),
    )
    _check_targets(library)
    return library


def _resources(read: Mapping[str, Mapping[str, Any]], grounding: Mapping[str, Any]) -> Iterable[Resource]:
    """The clinic's resources; a practice to read or hear takes its words from the practice itself."""
    words = {row["id"]: tuple(row["say"]) for row in grounding["practices"]}
    for path, content in read.items():
        if path.startswith("resources/"):
            for row in (row for rows in content.values() for row in rows):
                yield Resource(
                    id=row["id"],
                    kind=row["kind"],
                    title=row["title"],
                    about=row["about"],
                    minutes=int(row["minutes"]),
                    phases=frozenset(row["phases"]),
                    fits=frozenset(row.get("fits", ())),
                    body=words[row["practice"]] if "practice" in row else tuple(row["body"]),
                )


def _own_flows(
    shared: Mapping[str, Any], sitting: Mapping[str, Any], flows: Mapping[str, Flow], plan: Mapping[str, Any]
) -> Iterable[Flow]:
    """Flows of one question each, from the sitting, summary and shared safety texts."""
    safety, texts = shared["safety_shared"], sitting["sitting"]
    yield compile_question("sitting.resume_offer", texts["resume_offer"])
    yield compile_question("sitting.suggest", texts["suggest"])
    yield compile_question("sitting.menu_after_no", texts["menu_after_no"])
    yield compile_question("sitting.between_practices", texts["between_practices"])
    for name, raw in sitting["own_questions"].items():
        yield compile_question(f"own.{name}", raw | {"field": f"meta.{name}"})
    for name, raw in sitting["rights"]["questions"].items():
        yield compile_question(f"rights.{name}", raw | {"field": f"meta.{name}"})
    yield compile_question("own.write_freely", texts["write_freely"])
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
    offered = safety["aftercare"]["options"]
    own = {"value": "plan", "label": plan["label"]}
    after = {**safety["aftercare"], "options": [*offered[:-1], own, offered[-1]]}
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


def _plan_flow(plan: Mapping[str, Any]) -> Flow:
    """The questions of the plan for staying safe, one after the other, each of which may be skipped."""
    rows = plan["steps"]
    steps: dict[str, Step] = {}
    for row, following in zip(rows, [*(row["id"] for row in rows[1:]), None]):
        raw = {
            "prompt": [row["prompt"]],
            "field": f"safety_plan.{row['line']}",
            "answer": {"type": "text", "skippable": True},
        }
        (step,) = compile_question(row["id"], raw).steps.values()
        steps[row["id"]] = replace(step, next=following)
    return Flow(id="staying_safe", steps=steps, order=tuple(steps), kind="sitting")


def _with_openings(flows: Mapping[str, Flow], openings: Iterable[Mapping[str, Any]]) -> dict[str, Flow]:
    """The response flows with what every reply to a disclosure also says, before the last bubble of the opening."""
    told = {}
    for row in openings:
        for name in row["flows"]:
            flow = flows[name]
            told[name] = replace(flow, say=(*flow.say[:-1], (row["say"],), flow.say[-1]))
    return told


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
    plan: Mapping[str, Any],
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
        if "say_if_no_date" in raw:
            texts[f"phase.{phase}.no_date"] = _say(raw["say_if_no_date"])
        if "read_back" in raw:
            texts[f"phase.{phase}.read_back"] = (tuple(raw["read_back"]["prompt"]),)
    for name, raw in sitting["returning"].items():
        if "say_one_of" in raw:
            texts[f"returning.{name}"] = (tuple(raw["say_one_of"]),)
        elif "say" in raw:
            texts[f"returning.{name}"] = _say(raw["say"])
    for name, raw in sitting["coach_texts"].items():
        texts[f"coach.{name}"] = _say(raw["say"])
    for name, raw in sitting["rights"]["texts"].items():
        texts[f"rights.{name}"] = _say(raw["say"])
    for name, lines in sitting["steering_texts"].items():
        texts[f"steering.{name}"] = _say(lines)
    for name, lines in sitting["decision_guard"].items():
        if name.endswith("_say"):
            texts[f"decision_guard.{name}"] = _say(lines)
    texts["short_version.offer"] = (tuple(sitting["short_version"]["offer"]["prompt"]),)
    texts.update(_response_texts(responses))
    texts["staying_safe.intro"], texts["staying_safe.done"] = _say([plan["intro"]]), _say([plan["done"]])
    for row in plan["steps"]:
        texts[f"staying_safe.title.{row['line']}"] = _say([row["title"]])
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
            targets += [step.skip_to, step.follow_on.value if step.follow_on else None]
            for target in targets:
                if target is not None and target not in known and target not in flow.steps:
                    raise ContentError(f"{flow.id}, step {step.id}: there is no {target} to go to")
            for branch in step.branches:
                if branch.faq is not None and branch.faq not in library.faq:
                    raise ContentError(f"{flow.id}, step {step.id}: there is no answer {branch.faq}")
    for variants in (v for group in library.texts.values() for v in group):
        for text in variants:
            slots_of(text)
    for tips in library.tips.values():
        for _, text in tips:
            slots_of(text)


def _say(raw: Any) -> tuple[Variants, ...]:
    return tuple((str(line),) for line in raw)


def _parse(path: str, text: str) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ContentError(f"{path} cannot be read: {error}") from error
    if not isinstance(loaded, dict):
        raise ContentError(f"{path} holds no content")
    return loaded


def _version(sources: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for path, text in sorted(sources.items()):
        digest.update(path.encode() + b"\0" + text.encode())
    return digest.hexdigest()[:12]
