"""Further pages of the press, whose subjects functions give, in every form and from everything that they may read."""

PAGES = '''
from typing import NamedTuple

from toolkit.templates.clock import read_clock
from toolkit.trace import current


def days():
    """Each with its neighbours."""
    found = sorted({when.date() for when in Story.objects.values_list("published", flat=True)})
    for place, day in enumerate(found):
        yield {"day": str(day), "before": found[place - 1] if place else None, "after": found[place + 1 : place + 2]}


@app.listing("/days/<day>/", each=days, template="day.html", per_page=2)
def of_day(day, before, after):
    return Story.objects.filter(published__date=day), {"around": [before, after]}


@dataclass
class Top:
    slug: str
    story: Any
    count: int
    icon: str


def tops():
    """Rows within objects; what is left out of them is loaded by the page."""
    heaviest = {story.section_id: story for story in Story.objects.order_by("weight", "pk")}
    for section in Section.objects.all():
        story = heaviest.get(section.pk)
        icon = current.get().site.asset(f"img/{'odd' if story and story.weight % 2 else 'even'}.svg")
        yield Top(section.slug, story, section.stories.count(), icon)


@app.page("/tops/<slug>/", each=tops)
def of_top(top):
    story = top.story
    shown = f"{story} {story.body} {story.author} {story.section}" if story else "none"
    return f"{top.slug} {top.count} {top.icon} {shown}"


def heavy():
    """Rows, with something of the function's own."""
    found = list(Story.objects.select_related("section").filter(weight__gt=1).annotate(n=Count("tags")))
    for place, story in enumerate(found):
        story.place = place % 2
        story.follows = found[place - 1] if place else None
    return found


@app.page("/heavy/<int:pk>/", each=heavy)
def of_heavy(story):
    follows = story.follows
    return f"{story} {story.place} {story.n} {story.section} {follows} {follows.weight if follows else 0}"


class Shift(NamedTuple):
    number: int
    told: str


def shifts():
    """From the clock, a setting, a variable and a file."""
    hour = read_clock("hour").hour
    told = [current.get().site.settings.title, os.environ.get("PRESS_DESK", "none"), (DATA / "figures.txt").read_text()]
    return [Shift(number, f"{text} {hour % 3 == number}") for number, text in enumerate(told)]


@app.page("/shifts/<int:number>/", each=shifts)
def of_shift(shift):
    return shift.told


def asking():
    """Of what a function holds nobody knows: these pages depend on all that was read."""
    total = Story.objects.count()
    return [{"slug": slug, "ask": lambda slug=slug: f"{slug} {total}"} for slug in ("some", "others")]


@app.page("/asking/<slug>/", each=asking)
def of_asking(slug, ask):
    return ask()


def keeping():
    """Querysets, of a row and of all, and what objects keep."""
    for tag in Tag.objects.all():
        yield {"slug": tag.slug, "stories": tag.stories.order_by("title"), "same": Story.objects.filter(tags=tag)[:2]}


@app.listing("/keeping/<slug>/", each=keeping, template="day.html", per_page=2)
def of_keeping(slug, stories, same):
    return stories, {"around": [story.title for story in same]}


def linking():
    return [{"slug": section.slug, "url": url_for(section)} for section in Section.objects.all()]


@app.page("/linking/<slug>/", each=linking)
def of_linking(slug, url):
    return f"<a href='{url}'>{slug}</a>"
'''
TEMPLATE = """{{ around }}{{ listing.pages }}
{% for story in listing.items %}{{ story }} {{ story.tags.all()|join }}{% endfor %}
"""


def add_given(press: object) -> None:
    """Give a press these pages."""
    press.write("press/pages.py", (press.folder / "press/pages.py").read_text("utf-8") + PAGES)  # type: ignore[attr-defined]
    for name in ("odd", "even"):
        press.write(f"static/img/{name}.svg", f"<svg>{name}</svg>")  # type: ignore[attr-defined]
    press.write("templates/day.html", TEMPLATE)  # type: ignore[attr-defined]
