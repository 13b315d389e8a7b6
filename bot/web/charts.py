"""The digest's pictures as SVG markup: pure functions of a digest, drawn in one ink.

Everything is `currentColor` with presentation attributes: no style, script or colour of its own, so that a strict CSP,
dark mode, greyscale and print need nothing more. Shapes carry the meaning. Each picture has a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from bot.core.digest.parts import Appearance, Epoch
from bot.core.digest.records import Activation, JourneyMark, Place, Rung, Step

WIDTH = 480
LEFT, RIGHT = 34, 14  # room for the numbers of an axis
FAINT = Markup('stroke="currentColor" stroke-opacity="0.25"')
INK = Markup('stroke="currentColor"')
SOLID = Markup('fill="currentColor"')
HOLLOW = Markup('fill="none" stroke="currentColor" stroke-width="1.6"')


def picture(width: float, height: float, label: str, shapes: Sequence[Markup]) -> Markup:
    """An SVG image with a name for screen readers."""
    opening = Markup(
        '<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}" '
        'role="img" aria-label="{2}" font-size="13" fill="currentColor">'
    )
    return opening.format(width, height, label) + Markup("").join(shapes) + Markup("</svg>")


def text(x: float, y: float, words: object, anchor: str = "start", size: float = 13) -> Markup:
    return Markup('<text x="{:g}" y="{:g}" text-anchor="{}" font-size="{:g}">{}</text>').format(
        x, y, anchor, size, words
    )


def line(x1: float, y1: float, x2: float, y2: float, ink: Markup = INK, dashes: str = "") -> Markup:
    dashed = Markup(' stroke-dasharray="{}"').format(dashes) if dashes else Markup("")
    return Markup('<line x1="{:g}" y1="{:g}" x2="{:g}" y2="{:g}" {}{}/>').format(x1, y1, x2, y2, ink, dashed)


def dot(x: float, y: float, radius: float, look: Markup = SOLID) -> Markup:
    return Markup('<circle cx="{:g}" cy="{:g}" r="{:g}" {}/>').format(x, y, radius, look)


def shorten(words: str, most: int) -> str:
    """The beginning of the words, cut at a word; the whole stands in the table."""
    return words if len(words) <= most else words[: most - 1].rsplit(" ", 1)[0] + "…"


def day(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%b %-d}"


class _Time:
    """Places moments from left to right."""

    def __init__(self, moments: Sequence[datetime], left: float, right: float) -> None:
        self.first, self.last = min(moments), max(moments)
        self.left, self.right = left, right
        self.span = max(self.last - self.first, timedelta(hours=1))

    def x(self, at: datetime) -> float:
        if self.first == self.last:
            return (self.left + self.right) / 2
        return self.left + (at - self.first) / self.span * (self.right - self.left)

    def marks(self, journeys: Sequence[JourneyMark], top: float, bottom: float) -> list[Markup]:
        """Journeys as dashed upright lines with their number."""
        found = []
        for mark in journeys:
            if self.first <= mark.ended_at <= self.last:
                x = self.x(mark.ended_at)
                found += [line(x, top, x, bottom, INK, "2 4"), text(x, top - 4, f"J{mark.number}", "middle", 12)]
        return found


def activation(ratings: Sequence[Activation], journeys: Sequence[JourneyMark], zone: str) -> Markup:
    """Self-rated activation per entry, 0 to 10: a ring before writing, a dot after, a line between. Never a trend."""
    if not ratings:
        return Markup("")
    top, bottom = 22.0, 178.0
    moments = [row.at for row in ratings]
    span = _Time([*moments, *(m.ended_at for m in journeys)], LEFT + 8, WIDTH - RIGHT)
    radius = 4.5 if len(ratings) <= 60 else 2.5

    def y(value: int) -> float:
        return bottom - value * (bottom - top) / 10

    shapes = [line(LEFT, y(n), WIDTH - RIGHT, y(n), FAINT) for n in (0, 5, 10)]
    shapes += [text(LEFT - 8, y(n) + 4, n, "end", 12) for n in (0, 5, 10)]
    shapes += span.marks(journeys, top, bottom)
    for row in ratings:
        x = span.x(row.at)
        if row.start is not None and row.end is not None and row.start.value != row.end.value:
            edge = radius if row.start.value < row.end.value else -radius  # the ring stays empty
            shapes.append(line(x, y(row.start.value) - edge, x, y(row.end.value)))
        if row.start is not None:
            shapes.append(dot(x, y(row.start.value), radius, HOLLOW))
        if row.end is not None:
            shapes.append(dot(x, y(row.end.value), radius - 0.8))
    shapes.append(text(LEFT, bottom + 22, day(span.first, zone), "start", 12))
    if span.first != span.last:
        shapes.append(text(WIDTH - RIGHT, bottom + 22, day(span.last, zone), "end", 12))
    label = f"Activation per entry, self-rated 0 to 10, {len(ratings)} entries. The table below has each value."
    return picture(WIDTH, bottom + 30, label, shapes)


def ladder(rungs: Sequence[Rung], order: Sequence[str], journeys: Sequence[JourneyMark], zone: str) -> Markup:
    """The rung picked, by day: one row a rung, in the question's order. No row is higher or better than another."""
    if not rungs:
        return Markup("")
    names = [*order, *(n for n in dict.fromkeys(r.label for r in rungs) if n not in order)]
    noon = {rung.day: datetime.combine(rung.day, time(12), ZoneInfo(zone)) for rung in rungs}
    left, top, height = 176.0, 22.0, 30.0
    span = _Time([*noon.values(), *(m.ended_at for m in journeys)], left + 6, WIDTH - RIGHT)
    bottom = top + height * len(names)
    shapes = span.marks(journeys, top, bottom)
    seen: dict[tuple[date, str], int] = {}
    for rung in rungs:
        seen[rung.day, rung.label] = seen.get((rung.day, rung.label), 0) + 1
    for row, name in enumerate(names):
        y = top + row * height + 15
        shapes += [text(left - 8, y + 4, shorten(name, 27), "end", 12), line(left, y, WIDTH - RIGHT, y, FAINT)]
        for (when, label), times in seen.items():
            if label == name:
                shapes.append(dot(span.x(noon[when]), y, 3.5 + 1.2 * min(times - 1, 3)))
    shapes.append(text(left, bottom + 14, day(span.first, zone), "start", 12))
    if span.first != span.last:
        shapes.append(text(WIDTH - RIGHT, bottom + 14, day(span.last, zone), "end", 12))
    label = (
        f"Where the patient placed themselves on the ladder, by day, {len(rungs)} entries. The table has each count."
    )
    return picture(WIDTH, bottom + 22, label, shapes)


SPOT = Markup('class="spot" fill="#fff" stroke="currentColor" stroke-width="2"')  # the page's sheet gives it its paper
FRONT = {  # place -> where on a figure 160 wide and 330 high
    "top of head": (80, 10), "forehead": (70, 24), "eyes": (92, 34), "mouth": (68, 50), "jaw": (94, 56),
    "throat": (80, 74), "shoulders": (46, 92), "chest": (66, 110), "heart area": (95, 108), "ribs": (102, 132),
    "solar plexus": (78, 134), "belly": (80, 162), "hips": (58, 182), "arms": (34, 136), "hands": (23, 192),
    "legs": (64, 222), "knees": (64, 254), "feet": (68, 312),
}  # fmt: skip
BACK = {"neck": (80, 70), "upper back": (80, 100), "mid back": (80, 130), "lower back": (80, 160)}
FIGURE = Markup(
    '<g fill="none" stroke="currentColor" stroke-opacity="0.5" stroke-width="1.5" stroke-linejoin="round">'
    '<ellipse cx="80" cy="36" rx="20" ry="26"/>'
    '<path d="M72 61 L72 72 C60 76 48 78 42 90 C36 104 32 130 26 156 L18 188 C16 200 25 203 28 194 L38 160 '
    "C44 140 48 124 52 112 C54 130 52 150 52 164 C50 190 54 214 58 240 C60 262 60 284 60 306 C60 318 74 318 75 306 "
    "C76 270 78 230 80 196 C82 230 84 270 85 306 C86 318 100 318 100 306 C100 284 100 262 102 240 "
    "C106 214 110 190 108 164 C108 150 106 130 108 112 C112 124 116 140 122 160 L132 194 C135 203 144 200 142 188 "
    'L134 156 C128 130 124 104 118 90 C112 78 100 76 88 72 L88 61"/></g>'
)


def body(places: Sequence[Place]) -> Markup:
    """Where in the body something was named, on a figure from the front and from behind; the number is the count."""
    drawn = [place for place in places if place.name in FRONT or place.name in BACK]
    if not drawn:
        return Markup("")
    most = max(place.count for place in drawn)
    shapes = []
    for offset, title, spots in ((10, "front", FRONT), (200, "back", BACK)):
        shapes.append(Markup('<g transform="translate({} 4)">').format(offset) + FIGURE)
        for place in drawn:
            if place.name in spots:
                x, y = spots[place.name]
                radius = 8 + 5 * (place.count / most) ** 0.5
                shapes += [dot(x, y, radius, SPOT), text(x, y + 4.5, place.count, "middle", 12)]
        shapes += [text(80, 344, title, "middle", 12), Markup("</g>")]
    named = ", ".join(f"{place.name} {place.count}" for place in drawn[:3])
    return picture(370, 356, f"Places in the body, most named: {named}. The table below has all.", shapes)


def parts_of(epoch: Epoch) -> Markup:
    """One small multiple of the parts map: the parts of a stretch, each always on its own row.

    A dot in a ring is new, a dot was named again, a dashed ring was met earlier and not named in this stretch.
    """
    shapes: list[Markup] = []
    height, width = 58.0, 250.0
    for row, part in enumerate(epoch.parts):
        y = 18 + row * height
        shapes += _part(part, 20, y)
    title = "before the first journey" if epoch.journey is None else f"from journey {epoch.journey.number}"
    named = ", ".join(part.name for part in epoch.parts if part.times) or "none named"
    return picture(width, 10 + height * len(epoch.parts), f"Parts {title}: {named}. The table has all.", shapes)


def _part(part: Appearance, x: float, y: float) -> list[Markup]:
    radius = 4 + 1.3 * min(part.times, 6)
    if not part.times:
        dashed = Markup('fill="none" stroke="currentColor" stroke-opacity="0.7" stroke-dasharray="2 3"')
        shapes = [dot(x, y, 6, dashed)]
    else:
        shapes = [dot(x, y, radius)]
        if part.new:
            shapes.append(dot(x, y, radius + 3.5, HOLLOW))
    name = shorten(part.name, 26)
    shapes.append(text(40, y + 4, f"{name} · {part.times}" if part.times else name, "start", 14))
    said = [] if part.stance is None else [part.stance.text]
    if part.stance_before is not None:
        said.append(f"before: {part.stance_before.text}")
    elif part.status is not None:
        said.append(f"since: {part.status.text}")
    shapes += [text(40, y + 20 + 15 * n, shorten(words, 36), "start", 11.5) for n, words in enumerate(said)]
    return shapes


def steps(found: Sequence[Step], zone: str) -> Markup:
    """Small steps, oldest first, each from the day it was written to what was said of it later.

    A dot is done, a half dot partly, a ring not done or forgotten, a cross let go or no longer fitting.
    """
    if not found:
        return Markup("")
    rows = sorted(found, key=lambda step: step.said.source.at)
    moments = [step.said.source.at for step in rows]
    moments += [report.said.source.at for step in rows for report in step.reports]
    span = _Time(moments, 12, WIDTH - RIGHT)
    shapes: list[Markup] = []
    height = 40.0
    for number, step in enumerate(rows):
        y = 34 + number * height
        begin = span.x(step.said.source.at)
        end = span.x(step.reports[-1].said.source.at) if step.reports else begin
        shapes += [text(8, y - 12, shorten(step.said.text, 62), "start", 12), line(begin, y, end, y, FAINT)]
        shapes.append(line(begin, y - 5, begin, y + 5))
        for report in step.reports:
            last = report is step.reports[-1]
            shapes.append(_mark(span.x(report.said.source.at), y, step.status if last else report.status))
    bottom = 34 + height * len(rows)
    shapes.append(text(12, bottom, day(span.first, zone), "start", 12))
    if span.first != span.last:
        shapes.append(text(WIDTH - RIGHT, bottom, day(span.last, zone), "end", 12))
    return picture(WIDTH, bottom + 8, f"{len(rows)} small steps and what was said of them. The table has all.", shapes)


def _mark(x: float, y: float, status: str) -> Markup:
    if status == "done":
        return dot(x, y, 5.5)
    if status == "partly":
        half = Markup('<path d="M{0:g} {1:g}a5.5 5.5 0 0 0 0 11z" {2}/>').format(x, y - 5.5, SOLID)
        return dot(x, y, 5.5, HOLLOW) + half
    if status in ("let go", "no longer fits"):
        return line(x - 5, y - 5, x + 5, y + 5) + line(x - 5, y + 5, x + 5, y - 5)
    return dot(x, y, 5.5, HOLLOW)
