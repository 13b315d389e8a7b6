"""A verdict in words for a clinician: which words and rule, what lowered it, what would have changed it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.safety.verdict import Finding, Level, Verdict, combine


def explain(verdict: Verdict, text: str, thresholds: Mapping[str, float]) -> list[str]:
    """Lines about one verdict. They quote the text: show them only to whoever may read it.

    `thresholds` are the meaning layer's: concern, ask, urgent, emergency, 0 to 1.
    """
    lines = [f"{outcome(verdict)}. {verdict.version}"]
    if not verdict.findings:
        lines.append("  No rule matched, and the meaning layer's scores stayed below all its thresholds.")
    for finding in verdict.findings:
        words = text[finding.evidence.start : finding.evidence.end]
        lines.append(f'  "{words}"')
        lines.append(f"    {reason(finding, thresholds)}")
        if finding.evidence.qualifiers:
            lines.append(f"    lowered by: {', '.join(finding.evidence.qualifiers)}")
        rest = [other for other in verdict.findings if other is not finding]
        without = combine(rest, version=verdict.version, failed_layers=verdict.failed_layers)
        if (without.level, without.ask) != (verdict.level, verdict.ask):
            lines.append(f"    without it: {outcome(without)}")
    lines += [f"  The layer {name} failed; the others decided, and staff were told." for name in verdict.failed_layers]
    return lines


def outcome(verdict: Verdict) -> str:
    """The decision in a few words."""
    about = ", ".join(category.value.replace("_", " ") for category in verdict.categories)
    if verdict.ask and verdict.if_no_answer is not None:
        return f"ask about {about}; no answer counts as {verdict.if_no_answer.name}"
    return "none" if verdict.level is Level.none else f"{verdict.level.name}: {about}"


def reason(finding: Finding, thresholds: Mapping[str, float]) -> str:
    """Why one finding stands."""
    about = finding.category.value.replace("_", " ")
    decision = f"asks (silence: {finding.if_no_answer.name})" if finding.ask else finding.level.name
    evidence = finding.evidence
    if evidence.rule is not None:
        return f"rule {evidence.rule}: {about}, {decision}"
    marks = ", ".join(
        f"{name} from {value:.2f}" for name, value in sorted(thresholds.items(), key=lambda pair: pair[1])
    )
    return f"meaning {evidence.score:.2f} ({marks}): {about}, {decision}; nearest example {evidence.nearest}"
