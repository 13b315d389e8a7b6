"""`make safety-case`: measure the assessor on sets that it was not trained on, and write docs/safety-case.md and its picture.

Sets: `training/blind` (written apart from the corpus, by a writer who had not seen it), the themes that training held out (they
set the thresholds, so their false alarms are not independent), and, where a folder is given, public sets for measuring only.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.language.assess import Assessor, load_assessor
from bot.core.safety.verdict import Level, Verdict
from training import corpus
from training.augment import SIGNS, respace, typo
from training.corpus import CATEGORIES, Message
from training.evaluate import DATA, context_of, public, share, wilson
from training.split import held_out

ROOT = Path(__file__).resolve().parents[1]
BLIND = ROOT / "training/blind"
Rows = Sequence[tuple[Message, Verdict]]
HEAD = """# Safety case of the risk assessment

Made by `make safety-case` on {date}; assessor `{version}`. Shares carry 95 % Wilson intervals.

**What this does not show.** No patient and no clinician has been involved: every message below was invented by the makers of the
assistant, the labels are theirs, and dialects are approximations. Release needs a set that clinicians labelled blind (P-25). A message that is missed
here is missed in life; therefore every sitting asks by button, entries are read by people, and *Help now* is always on the page.

"""


def disturbances() -> dict[str, Callable[[str], str]]:
    """Ways of typing that must cost little: each turns a message into the same one, typed differently."""
    rnd = random.Random(7)
    return {
        "lower case": str.lower,
        "capitals": str.upper,
        "no punctuation": lambda t: "".join(c for c in t if c.isalnum() or c.isspace()),
        "doubled spaces": lambda t: t.replace(" ", "  "),
        "a lost space": lambda t: respace(t, rnd),
        "one typo a sentence": lambda t: " ".join(typo(part, rnd) for part in t.split(". ")),
        "a sign in the middle": lambda t: f"{t[: len(t) // 2]} {rnd.choice(SIGNS)} {t[len(t) // 2 :]}",
    }


def assess_all(assessor: Assessor, messages: Sequence[Message]) -> Rows:
    """Each message with its verdict."""
    return [(message, assessor.assess(message.text, context_of(message))) for message in messages]


def grave(rows: Rows) -> Rows:
    """What is labelled urgent or worse, without what should only be asked about."""
    return [(m, v) for m, v in rows if m.level in ("urgent", "emergency") and not m.ask]


def alerts(verdict: Verdict) -> bool:
    """Whether staff are told at once."""
    return verdict.level >= Level.urgent


def noticed(verdict: Verdict) -> bool:
    """Whether staff are told at once or the patient is asked."""
    return alerts(verdict) or verdict.ask


def table(rows: Rows) -> list[str]:
    """Recall by level and category, false alarms and questions by form."""
    lines = ["| what | n | alert at once | alert or question |", "|---|---|---|---|"]

    def line(name: str, own: Rows) -> None:
        if own:
            first, either = sum(alerts(v) for _, v in own), sum(noticed(v) for _, v in own)
            lines.append(f"| {name} | {len(own)} | {share(first, len(own))} | {share(either, len(own))} |")

    for level in ("emergency", "urgent"):
        line(level, [(m, v) for m, v in grave(rows) if m.level == level])
    line("**urgent or worse**", grave(rows))
    for category in CATEGORIES:
        line(
            category.replace("_", " "), [(m, v) for m, v in grave(rows) if m.categories and m.categories[0] == category]
        )
    concern = [(m, v) for m, v in rows if m.level == "concern" and not m.ask]
    line("concern (an alert at once is more than its label)", concern)
    calm = [(m, v) for m, v in rows if m.level == "none"]
    for form in sorted({m.facts.get("form", "") for m, _ in calm if m.facts.get("form") in ("journey", "ordinary")}):
        line(f"harmless, {form}", [(m, v) for m, v in calm if m.facts.get("form") == form])
    line("harmless, all", calm)
    lines.append("")
    found = grave(rows)
    right = sum(v.primary is not None and v.primary.value in m.categories for m, v in found)
    lines.append(f"Right category among urgent or worse: {share(right, len(found))}.")
    silent = [m for m, v in found if m.level == "emergency" and not noticed(v)]
    lines.append(f"Emergencies that pass as none or concern without a question: {len(silent)}.")
    any_level = sum(v.level > Level.none for _, v in calm)
    lines.append(f"Harmless messages that reach any level, a coach's note included: {share(any_level, len(calm))}.")
    return lines


def sets(rows: Rows) -> list[str]:
    """The blind sets apart: writers differ more than any interval says."""
    lines = [
        "| set | urgent or worse | alert at once | alert or question | emergencies passed over | harmless | alert |",
        "|---|---|---|---|---|---|---|",
    ]
    for source in sorted({m.source for m, _ in rows}):
        own = [(m, v) for m, v in rows if m.source == source]
        found, calm = [v for _, v in grave(own)], [v for m, v in own if m.level == "none"]
        silent = [m for m, v in grave(own) if m.level == "emergency" and not noticed(v)]
        lines.append(
            f"| {source} | {len(found)} | {share(sum(map(alerts, found)), len(found))} | {share(sum(map(noticed, found)), len(found))} "
            f"| {len(silent)} | {len(calm)} | {share(sum(map(alerts, calm)), len(calm))} |"
        )
    return lines


def robustness(assessor: Assessor, rows: Rows) -> list[str]:
    """What typing differently costs, in points of the share of urgent-or-worse messages noticed."""
    found = grave(rows)
    calm = [(m, v) for m, v in rows if m.level == "none"]
    base = sum(noticed(v) for _, v in found) / len(found)
    base_false = sum(alerts(v) for _, v in calm) / len(calm)
    lines = ["| typed | noticed, change in points | false alerts, change in points |", "|---|---|---|"]
    for name, change in disturbances().items():
        now = sum(noticed(assessor.assess(change(m.text), context_of(m))) for m, _ in found) / len(found)
        false = sum(alerts(assessor.assess(change(m.text), context_of(m))) for m, _ in calm) / len(calm)
        lines.append(f"| {name} | {100 * (now - base):+.1f} | {100 * (false - base_false):+.1f} |")
    return lines


def speed(assessor: Assessor, messages: Sequence[Message]) -> str:
    """Time of one assessment of about 100 words, on one core."""
    words = " ".join(m.text for m in messages).split()
    texts = [" ".join(words[i : i + 100]) for i in range(0, min(len(words), 20000), 100)]
    times = []
    for text in texts:
        begun = time.perf_counter()
        assessor.assess(text, context_of(messages[0]))
        times.append(1000 * (time.perf_counter() - begun))
    times.sort()
    return (
        f"100 words: median {statistics.median(times):.0f} ms, p95 {times[int(0.95 * len(times))]:.0f} ms "
        f"({len(times)} texts, one core)."
    )


def errors(rows: Rows) -> list[str]:
    """Everything that was missed or alarmed falsely, to be read."""
    lines = []
    for m, v in rows:
        missed = m.level in ("urgent", "emergency") and not m.ask and not noticed(v)
        if missed or (m.level == "none" and alerts(v)):
            kind = f"missed {m.level} {'+'.join(m.categories)}" if missed else "false alert"
            text = m.text.replace("\n", " ")
            lines.append(f"- {kind} ({m.id}): {text}")
    return lines


def picture(rows: Rows) -> str:
    """Recall by category as an SVG: a bar for alerts, a lighter one for questions, a line for the interval."""
    height, left, width = 30, 150, 420
    found = grave(rows)
    marks = []
    for number, category in enumerate(CATEGORIES):
        own = [v for m, v in found if m.categories and m.categories[0] == category]
        if not own:
            continue
        y = 30 + number * height
        first, either = sum(map(alerts, own)) / len(own), sum(map(noticed, own)) / len(own)
        low, high = wilson(sum(map(noticed, own)), len(own))
        marks.append(
            f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{category.replace("_", " ")} ({len(own)})</text>'
            f'<rect x="{left}" y="{y}" width="{width * either:.0f}" height="18" fill="#cbb3c4"/>'
            f'<rect x="{left}" y="{y}" width="{width * first:.0f}" height="18" fill="#6b3a5b"/>'
            f'<line x1="{left + width * low:.0f}" x2="{left + width * high:.0f}" y1="{y + 9}" y2="{y + 9}" stroke="#111"/>'
        )
    bottom = 40 + len(CATEGORIES) * height
    axis = "".join(
        f'<text x="{left + width * t / 10:.0f}" y="{bottom}" text-anchor="middle">{t * 10} %</text>'
        for t in (0, 5, 8, 9, 10)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {bottom + 20}" font-family="sans-serif" font-size="12">'
        '<title>Urgent or worse on the blind set, by category</title><rect width="100%" height="100%" fill="#fff"/>'
        '<text x="10" y="16">Urgent or worse, blind set: alert at once (dark), question (light), 95 % interval</text>'
        f"{''.join(marks)}{axis}</svg>\n"
    )


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--public", type=Path, help="folder of public sets (.jsonl), for measuring only")
    given = parser.parse_args()
    assessor = load_assessor(DATA)
    pinned = json.loads((DATA / "meaning/model.json").read_text(encoding="utf-8"))
    blind = assess_all(assessor, [m for path in sorted(BLIND.glob("*.txt")) for m in corpus.read(path)])
    everything = [m for path in sorted(corpus.ROOT.glob("*.txt")) for m in corpus.read(path)]
    held = assess_all(assessor, [m for m in everything if held_out(m)])
    lines = [HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", version=assessor.version)]
    lines += ["## Blind sets, one by one", "", *sets(blind), ""]
    lines += ["## Blind sets together", "", *table(blind), "", "![By category](safety-case.svg)", ""]
    lines += ["## Held-out themes of the corpus", "", *table(held), ""]
    if given.public:
        for path in sorted(given.public.glob("*.jsonl")):
            lines += [f"## {path.stem}", "", *table(assess_all(assessor, public(path))), ""]
    lines += ["## Typed differently (blind set)", "", *robustness(assessor, blind), ""]
    lines += ["## Speed", "", speed(assessor, [m for m, _ in blind]), ""]
    lines += ["## Data sheet", "", *_data_sheet(everything, pinned), ""]
    lines += ["## Errors on the blind set", "", *errors(blind), ""]
    (ROOT / "docs/safety-case.md").write_text("\n".join(lines), encoding="utf-8")
    (ROOT / "docs/safety-case.svg").write_text(picture(blind), encoding="utf-8")
    print("\n".join(lines[1:40]))


def _data_sheet(messages: Sequence[Message], pinned: dict[str, object]) -> list[str]:
    levels = ("emergency", "urgent", "concern", "none")
    counts = {level: sum(m.level == level and not m.ask for m in messages) for level in levels}
    return [
        f"- Corpus: {len(messages)} messages, {len({m.group for m in messages})} themes; {counts}; "
        f"{sum(m.ask for m in messages)} to ask about. Invented; unreviewed by clinicians; mostly English.",
        f"- Trained on {pinned['trained_on']}, held out {pinned['held_out']} by writer and theme; corpus {pinned['corpus_sha256']}.",
        f"- Encoder {pinned['files']['encoder.onnx']}; {pinned['epochs']} epochs, seed {pinned['seed']}; 8-bit weights.",
        f"- Thresholds {pinned['thresholds']}, set as false-alarm shares {pinned['false_alarms']} of the held-out harmless messages.",
        "- Known limits: irony, messages that need their prompt to be understood, languages other than English, writers unlike ours.",
    ]


if __name__ == "__main__":
    main()
