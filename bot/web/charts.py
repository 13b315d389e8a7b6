"""The digest's pictures as SVG markup: pure functions of a digest, drawn in one ink.

Everything is `currentColor` with presentation attributes: no style, script or colour of its own, so that a strict CSP,
dark mode, greyscale and print need nothing more. Shapes carry the meaning. Each picture has a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
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
    return f"{at.astimezone(ZoneInfo(zone)):%-d %b}"


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
    noon = {
        rung.day: datetime(rung.day.year, rung.day.month, rung.day.day, 12, tzinfo=ZoneInfo(zone)) for rung in rungs
    }
    span = _Time([*noon.values(), *(m.ended_at for m in journeys)], LEFT, WIDTH - RIGHT)
    top, height = 22.0, 38.0
    shapes = span.marks(journeys, top, top + height * len(names))
    seen: dict[tuple[date, str], int] = {}
    for rung in rungs:
        seen[rung.day, rung.label] = seen.get((rung.day, rung.label), 0) + 1
    for row, name in enumerate(names):
        y = top + row * height + 28
        shapes += [text(8, y - 12, name, "start", 12), line(8, y, WIDTH - RIGHT, y, FAINT)]
        for (when, label), times in seen.items():
            if label == name:
                shapes.append(dot(span.x(noon[when]), y, 3.5 + 1.2 * min(times - 1, 3)))
    bottom = top + height * len(names)
    shapes.append(text(LEFT, bottom + 14, day(span.first, zone), "start", 12))
    if span.first != span.last:
        shapes.append(text(WIDTH - RIGHT, bottom + 14, day(span.last, zone), "end", 12))
    label = (
        f"Where the patient placed themselves on the ladder, by day, {len(rungs)} entries. The table has each count."
    )
    return picture(WIDTH, bottom + 22, label, shapes)


SPOT = Markup('class="spot" fill="#fff" stroke="currentColor" stroke-width="2"')  # the page's sheet gives it its paper
FRONT = {  # place -> where on a figure 160 wide and 330 high
    "top of head": (80, 14), "forehead": (80, 26), "eyes": (80, 36), "mouth": (80, 50), "jaw": (92, 54),
    "throat": (80, 68), "shoulders": (48, 88), "chest": (66, 108), "heart area": (92, 112), "ribs": (100, 134),
    "solar plexus": (80, 132), "belly": (80, 158), "hips": (58, 178), "arms": (34, 130), "hands": (24, 182),
    "legs": (64, 220), "knees": (66, 246), "feet": (64, 312),
}  # fmt: skip
BACK = {"neck": (80, 68), "upper back": (80, 98), "mid back": (80, 128), "lower back": (80, 158)}
FIGURE = Markup(
    '<g fill="none" stroke="currentColor" stroke-opacity="0.45" stroke-width="1.5" stroke-linejoin="round">'
    '<ellipse cx="80" cy="36" rx="21" ry="27"/>'
    '<path d="M71 62v10c-6 6-24 6-31 16-8 12-10 44-15 64-2 10-6 22-4 32 4 6 9 2 10-4 3-20 9-40 13-58'
    "2 22 4 34 2 52-3 36 2 62 6 88 2 16 0 34 0 48 0 8 20 8 20 0 2-36 4-72 8-112 4 40 6 76 8 112"
    "0 8 20 8 20 0 0-14-2-32 0-48 4-26 9-52 6-88-2-18 0-30 2-52 4 18 10 38 13 58 1 6 6 10 10 4"
    '2-10-2-22-4-32-5-20-7-52-15-64-7-10-25-10-31-16V62"/></g>'
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
                radius = 9 + 7 * (place.count / most) ** 0.5
                shapes += [dot(x, y, radius, SPOT), text(x, y + 4.5, place.count, "middle", 12)]
        shapes += [text(80, 344, title, "middle", 12), Markup("</g>")]
    named = ", ".join(f"{place.name} {place.count}" for place in drawn[:3])
    return picture(370, 356, f"Places in the body, most named: {named}. The table below has all.", shapes)


def parts_of(epoch: Epoch) -> Markup:
    """One small multiple of the parts map: the parts of a stretch, each always on its own row.

    A dot in a ring is new, a dot was named again, a dashed ring was met earlier and not named in this stretch.
    """
    shapes: list[Markup] = []
    height, width = 46.0, 250.0
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
    said = part.status.text if part.status is not None else ""
    if part.stance is not None:
        before = f"{shorten(part.stance_before.text, 17)} → " if part.stance_before is not None else ""
        said = before + shorten(part.stance.text, 36 if not before else 18)
    if said:
        shapes.append(text(40, y + 20, shorten(said, 38), "start", 11.5))
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
