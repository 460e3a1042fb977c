"""The dashboard of one user: the cards that they may see, those of their roles first."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.translation import gettext as _

from backoffice.audit.secrecy import hidden_fields
from backoffice.console.palette.commands import all_commands
from backoffice.console.palette.finding import usual_commands
from backoffice.console.palette.registry import sources
from backoffice.console.palette.results import Result
from backoffice.console.people import role_names

from .cards import Attention, Card, Chart, Day, Figure, Notice, Panel, Point, Recent, Trend
from .figures import Known, Question, answers, how_many, question
from .registry import cards

MOST_SHORTCUTS = 6
# What the costly figures of a page may take together, in milliseconds; the rest comes afterwards.
PATIENCE = 150
_COLOURS = ["600", "300", "800", "400", "900", "200", "500", "700"]


def dashboard_of(request: HttpRequest, *, in_full: bool = True) -> dict[str, Any]:
    """What the template of the dashboard shows; unless `in_full`, as far as it is soon counted."""
    shown = _in_order(request, [card for card in cards.values() if _may_see(request, card)])
    attention = [card for card in shown if isinstance(card, Attention)]
    trends = [card for card in shown if isinstance(card, Trend)]
    found = answers(
        [
            *(_counted(card, _rows(request, card.model)) for card in attention),
            *(_by_day(card, _rows(request, card.model)) for card in trends),
        ],
        within=None if in_full else PATIENCE,
    )
    figures = [_figure(card, known) for card, known in zip(attention, found, strict=False)]
    return {
        "figures": [each for each in figures if each is not None],
        "nothing_to_do": bool([each for each in attention if each.is_trouble])
        and not any(each.wanting or each.value is None for each in figures if each),
        "charts": [
            _chart(card, known.rows)
            for card, known in zip(trends, found[len(attention) :], strict=True)
            if known.rows is not None
        ],
        "is_counting": any(known.rows is None or known.since is not None for known in found),
        "panels": [_panel(request, card) for card in shown if isinstance(card, Recent | Notice)],
        "shortcuts": _shortcuts(request),
    }


def count_beforehand() -> None:
    """Have the costly figures ready. What a worker does now and then, so that no page waits.

    They are counted among all rows, which is what most users' lists hold.
    """
    answers(
        [
            _counted(card, card.model._default_manager.all())
            if isinstance(card, Attention)
            else _by_day(card, card.model._default_manager.all())
            for card in cards.values()
            if isinstance(card, Attention | Trend) and card.patience
        ],
        as_of_now=True,
    )


def _may_see(request: HttpRequest, card: Card) -> bool:
    if not card.allowed(request):
        return False
    if isinstance(card, Recent | Notice):
        return True
    if isinstance(card, Attention) and card.field in hidden_fields(card.model, request.user):
        return False
    if not admin.site.is_registered(card.model):
        return False
    return bool(admin.site.get_model_admin(card.model).has_view_permission(request))


def _in_order(request: HttpRequest, shown: Iterable[Card]) -> list[Card]:
    names = role_names(request)
    return sorted(shown, key=lambda card: names.isdisjoint(card.roles))


def _rows(request: HttpRequest, model: type[models.Model]) -> QuerySet:
    rows: QuerySet = admin.site.get_model_admin(model).get_queryset(request)
    return rows


def _counted(card: Attention, rows: QuerySet) -> Question:
    depends_on = (card.model, *card.changed_by) if card.is_on_record else None
    return how_many(card.rows(rows), depends_on, patience=card.patience)


def _figure(card: Attention, known: Known) -> Figure | None:
    value = None if known.rows is None else known.rows[0][0]
    if card.is_trouble and value == 0:
        return None
    opts = card.model._meta
    address = reverse(f"admin:{opts.app_label}_{opts.model_name}_{card.page}")
    query = card.query() if callable(card.query) else card.query
    return Figure(
        title=str(card.title % (2 if value is None else value)),  # unknown: in the plural
        value=value,
        since=None if known.since is None else datetime.fromtimestamp(known.since, tz=UTC),
        link=f"{address}?{query}" if query else address,
        icon=card.icon,
        wanting=card.is_trouble and value is not None,
    )


def _first_day(card: Trend) -> datetime:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return _midnight(today, 1 - card.days)


def _midnight(day: datetime, days: int) -> datetime:
    """So many days from a midnight, by the calendar: some days have 23 or 25 hours."""
    naive = day.replace(tzinfo=None) + timedelta(days=days)
    return timezone.make_aware(naive)


def _by_day(card: Trend, rows: QuerySet) -> Question:
    counted = (
        card.rows(rows)
        .order_by()
        .filter(**{f"{card.moment}__gte": _first_day(card)})
        .annotate(of_day=TruncDate(card.moment))
        .values_list("of_day", *([card.series] if card.series else []))
        .annotate(number=Count("pk"))
    )
    return question(counted, (card.model,), patience=card.patience)


def _chart(card: Trend, rows: list[tuple[Any, ...]]) -> Chart:
    counted = {(row[0], row[1] if card.series else None): row[-1] for row in rows}
    names = sorted({name for _day, name in counted if name is not None})
    first = _first_day(card)
    days = []
    for number in range(card.days):
        start, end = _midnight(first, number), _midnight(first, number + 1)
        day = start.date()

        def point(name: str | None, value: int, span: tuple[datetime, datetime]) -> Point:
            return Point(value=value, link=card.link(*span, name) if value else "")

        total = sum(value for (at, _name), value in counted.items() if at == day)
        days.append(
            Day(
                day=day,
                total=point(None, total, (start, end)),
                points=[point(name, counted.get((day, name), 0), (start, end)) for name in names],
            )
        )
    return Chart(
        name=card.name,
        title=str(card.title),
        series=[card.label(name) for name in names],
        days=days,
        total=sum(day.total.value for day in days),
        empty=str(card.empty),
        key=_key(card, rows),
        drawing=_drawing(str(_("All")), [card.label(name) for name in names], days),
    )


def _key(card: Trend, rows: list[tuple[Any, ...]]) -> str:
    return f"{card.name}:{_first_day(card).date()}:{sorted(map(repr, rows))}"


def _short_day() -> str:
    """The day and the month as the language writes them, so short that fourteen stand in a row."""
    return str(get_format("MONTH_DAY_FORMAT")).replace("F", "M")


def _drawing(all_together: str, series: list[str], days: list[Day]) -> dict[str, Any]:
    """What Chart.js draws: bars upon each other, one colour a series."""
    of_series = [[day.points[place].value for day in days] for place in range(len(series))]
    values = of_series or [[day.total.value for day in days]]
    return {
        "labels": [date_format(day.day, _short_day()) for day in days],
        "datasets": [
            {
                "label": label,
                "data": data,
                "backgroundColor": f"var(--color-primary-{_COLOURS[place % len(_COLOURS)]})",
            }
            for place, (label, data) in enumerate(
                zip(series or [all_together], values, strict=True)
            )
        ],
    }


def _panel(request: HttpRequest, card: Recent | Notice) -> Panel:
    if isinstance(card, Notice):
        text, is_right = card.text()
        return Panel(
            name=card.name,
            title=str(card.title),
            lines=[],
            empty=text,
            link=card.link(request),
            link_text=str(card.link_text),
            is_wrong=not is_right,
        )
    return Panel(
        name=card.name,
        title=str(card.title),
        lines=card.lines(request),
        empty=str(card.empty),
        link=card.link(request),
        link_text=str(card.link_text),
        is_wide=card.is_wide,
    )


def _shortcuts(request: HttpRequest) -> list[Result]:
    commands = all_commands(request, [], sources.values())
    return [each.result for each in usual_commands(request, commands)][:MOST_SHORTCUTS]
