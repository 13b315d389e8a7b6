"""The authored content as a page that a clinician reads and signs, and the differences between two versions of it."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Iterator

from bot.core.flow.content import Branch, Flow, Library, Step

KINDS = {"practice": "Practice", "response": "Response to risk", "sitting": "Part of a sitting"}
SIGN = "Read and approved by (name, role, date): ______________________"


def sections(library: Library) -> dict[str, list[str]]:
    """The text of each flow, as lines of Markdown, by the flow's id; shared texts, tips and answers come after."""
    found = {name: list(_flow(library.flows[name])) for name in sorted(library.flows, key=lambda n: _order(library, n))}
    texts = [f"- `{name}`: {' / '.join(variants)}" for name, group in library.texts.items() for variants in group]
    found["texts"] = ["## Texts spoken by name", "", *texts]
    tips = [f"- {phase}, `{tip}`: {text}" for phase, rows in library.tips.items() for tip, text in rows]
    found["tips"] = ["## Tips by phase", "", *tips]
    answers = [f"- `{n}` (goes to: {library.faq_routes[n]}): {' '.join(t)}" for n, t in library.faq.items()]
    found["faq"] = ["## Answers to questions", "", *answers]
    skips = [f"- `{s.id}` → {s.skip_to}" for f in library.flows.values() for s in f.steps.values() if s.skip_to]
    found["skips"] = ["## Where skipping leads, where that is not the next step", "", *skips]
    resources = [f"- {r.title} ({r.kind}, {r.minutes} min): {' '.join(r.body)}" for r in library.resources]
    found["resources"] = ["## Resources", "", *resources]
    return found


def as_markdown(library: Library) -> str:
    """One page, one section a flow, each with a line to sign."""
    parts = [f"# Authored content, version {library.version}", ""]
    for lines in sections(library).values():
        parts += [*lines, "", SIGN, ""]
    return "\n".join(parts)


def as_html(library: Library) -> str:
    """The same page as HTML, for paper."""
    body = "\n".join(
        f"<section>{''.join(_html(line) for line in lines)}<p class='sign'>{html.escape(SIGN)}</p></section>"
        for lines in sections(library).values()
    )
    style = (
        "body{font:11pt/1.5 serif;max-width:46rem;margin:2rem auto;padding:0 1rem}h1,h2,h3{font-family:sans-serif}"
        "h3{font-size:11pt;margin:1.2em 0 .2em}section{page-break-after:always}.sign{margin-top:2rem;font-size:10pt}"
        "p{margin:.2rem 0}.item{padding-left:1.2rem}"
    )
    title = f"Authored content, version {html.escape(library.version)}"
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title><style>{style}</style>"
        f"</head><body><h1>{title}</h1>{body}</body></html>\n"
    )


def changes(old: Library, new: Library) -> str:
    """What changed between two versions, section by section, as unified differences; empty where nothing did."""
    before, after = sections(old), sections(new)
    blocks: list[str] = []
    for name in [*after, *(gone for gone in before if gone not in after)]:
        rows = list(
            difflib.unified_diff(
                before.get(name, []), after.get(name, []), f"{name} ({old.version})", f"{name} ({new.version})",
                lineterm="", n=2,
            )
        )  # fmt: skip
        if rows:
            blocks.append("\n".join(rows))
    return "\n\n".join(blocks)


def _order(library: Library, name: str) -> tuple[int, str]:
    return list(KINDS).index(library.flows[name].kind), name


def _flow(flow: Flow) -> Iterator[str]:
    yield f"## {flow.label or flow.id}"
    yield ""
    yield f"{KINDS[flow.kind]} `{flow.id}`" + (f", about {flow.minutes} minutes" if flow.minutes else "")
    if flow.phases:
        yield f"Offered in: {', '.join(sorted(flow.phases))}"
    if flow.requires is not None:
        yield f"Only when: {flow.requires.source}"
    if flow.level:
        yield f"Level: {flow.level}; afterward: {flow.resume or 'as it was'}"
    for mode, steps in flow.modes.items():
        yield f"In the {mode} version: {', '.join(steps)}"
    for variants in flow.say:
        yield f"Says first: “{' / '.join(variants)}”"
    for phase, messages in flow.phase_notes.items():
        yield f"Says first in {phase}: “{' '.join(text for variants in messages for text in variants)}”"
    for step_id in flow.order:
        yield from _step(flow.steps[step_id])
    if flow.end:
        yield f"Ends with: {flow.end}"


def _step(step: Step) -> Iterator[str]:
    yield ""
    yield f"### {step.id}" + ("" if step.skippable else " (cannot be skipped)")
    if step.show_if is not None:
        yield f"Asked only when: {step.show_if.source}"
    if step.skip_if is not None:
        yield f"Left out when: {step.skip_if.source}"
    for variants in step.say:
        yield f"- says: “{' / '.join(variants)}”"
    for number, text in enumerate(step.prompts, start=1):
        yield f"- asks ({number}): “{text}”"
    if step.small_print:
        yield f"- in small print: “{step.small_print}”"
    if step.answer is not None:
        options = ", ".join(f"“{option.label}”" for option in step.answer.options)
        yield f"- answer: {step.answer.type.value}" + (f": {options}" if options else "")
    for text in step.acks:
        yield f"- acknowledges: “{text}”"
    for value, text in step.acks_by_value.items():
        yield f"- acknowledges {value}: “{text}”"
    if step.field:
        yield f"- kept as: {step.field}"
    for branch in step.branches:
        yield f"- {_branch(branch, step)}"
    if step.alert is not None:
        when = f", when {step.alert_if.source}" if step.alert_if is not None else ""
        yield f"- tells staff: {step.alert.category}, {step.alert.level} ({step.alert.reason}){when}"
    if step.follow_on is not None:
        yield f"- then offers: “{step.follow_on.label}”"
    if step.skip_to is not None:
        yield f"- if skipped, goes to: {step.skip_to}"
    if step.next is not None:
        yield f"- then: {step.next}"


def _condition(branch: Branch, step: Step) -> str:
    """A branch's condition, with the labels of buttons in place of their values."""
    source = branch.when.source.strip()
    if source == "otherwise":
        return source
    labels = {option.value: f"“{option.label}”" for option in (step.answer.options if step.answer else ())}
    words = re.sub(r"[\w-]+", lambda found: labels.get(found.group(), found.group()), source)
    return "if " + words.replace("value ==", "the answer is").replace("value in", "the answer is one of")


def _branch(branch: Branch, step: Step) -> str:
    parts = [f"says “{' '.join(text for variants in branch.say for text in variants)}”"] if branch.say else []
    if branch.offer:
        parts.append("offers " + ", ".join(f"“{option.label}”" for option in branch.offer))
    if branch.alert is not None:
        urgent = f", urgent if {branch.alert.urgent_if.source}" if branch.alert.urgent_if is not None else ""
        parts.append(f"tells staff {branch.alert.category}, {branch.alert.level}{urgent} ({branch.alert.reason})")
    if branch.faq is not None:
        parts.append(f"answers `{branch.faq}`")
    if branch.goto is not None:
        parts.append(f"goes to {branch.goto}")
    if branch.most is not None:
        parts.append(f"at most {branch.most} in a sitting")
    return f"{_condition(branch, step)}: {', '.join(parts) or 'goes on'}"


def _html(line: str) -> str:
    text = html.escape(line.lstrip("#- ").strip())
    if line.startswith("### "):
        return f"<h3>{text}</h3>"
    if line.startswith("## "):
        return f"<h2>{text}</h2>"
    return f"<p class='item'>{text}</p>" if line.startswith("- ") else f"<p>{text}</p>" if text else ""
