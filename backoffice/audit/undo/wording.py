"""What an undo does, and why it leaves something alone, in words."""

from collections.abc import Iterable, Mapping

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.audit.trail import trailed_models
from backoffice.audit.wording import moment_in_words

from .plan import Act, Keep, PlannedRow, Tally, UndoPlan

# What stands before a number of them, in lists of reasons.
KEPT = {
    Keep.UNDONE: gettext_lazy("undone already"),
    Keep.CHANGED: gettext_lazy("changed since"),
    Keep.GONE: gettext_lazy("gone already"),
    Keep.IN_USE: gettext_lazy("in use"),
    Keep.PART: gettext_lazy("part of something that stays"),
    Keep.MISSING: gettext_lazy("points at something that is gone"),
    Keep.TAKEN: gettext_lazy("its place is taken"),
    Keep.FORBIDDEN: gettext_lazy("forbidden by a rule"),
    Keep.PERMANENT: gettext_lazy("permanent"),
    Keep.UNKNOWN: gettext_lazy("older than the record"),
    Keep.INCOMPLETE: gettext_lazy("not wholly on the record"),
    Keep.NOT_PERMITTED: gettext_lazy("not permitted to you"),
}
# Where somebody did it.
_BY = {
    Keep.UNDONE: gettext_lazy("Undone already by %(who)s, %(when)s"),
    Keep.CHANGED: gettext_lazy("Changed since by %(who)s, %(when)s"),
    Keep.GONE: gettext_lazy("Deleted since by %(who)s, %(when)s"),
}
ACTS = {
    Act.REMOVE: gettext_lazy("will be removed"),
    Act.BRING_BACK: gettext_lazy("will come back"),
    Act.PUT_BACK: gettext_lazy("will be put back"),
}


def grouped(number: int) -> str:
    return number_format(number, force_grouping=True)


def acts_in_words(acts: Mapping[Act, int]) -> list[str]:
    """ "2,514 removed", for what was done."""
    said = []
    if number := acts.get(Act.PUT_BACK, 0):
        said.append(ngettext("%s put back", "%s put back", number) % grouped(number))
    if number := acts.get(Act.REMOVE, 0):
        said.append(ngettext("%s removed", "%s removed", number) % grouped(number))
    if number := acts.get(Act.BRING_BACK, 0):
        said.append(ngettext("%s brought back", "%s brought back", number) % grouped(number))
    return said


def kept_in_words(kept: Mapping[Keep, int]) -> str:
    """ "3 kept: changed since", or "5 kept: 3 changed since, 2 in use"."""
    total = sum(kept.values())
    if not total:
        return ""
    reasons = ", ".join(
        str(KEPT[why]) if len(kept) == 1 else f"{grouped(number)} {KEPT[why]}"
        for why, number in kept.items()
    )
    return ngettext("%(number)s kept: %(why)s", "%(number)s kept: %(why)s", total) % {
        "number": grouped(total),
        "why": reasons,
    }


def tally_in_words(tally: Tally) -> str:
    """ "Products: 2,514 removed; 3 kept: changed since"."""
    said = [", ".join(acts_in_words(tally.acts)), kept_in_words(tally.kept)]
    what = str(tally.model._meta.verbose_name_plural)
    return f"{what[:1].upper()}{what[1:]}: {'; '.join(part for part in said if part)}"


def plan_in_words(plan: UndoPlan) -> str:
    return ". ".join(tally_in_words(tally) for tally in plan.tallies) + "."


def reason_in_words(row: PlannedRow, by: str) -> str:
    """Why a row is kept. `by` is the name of what `by_model` and `by_key` name."""
    match row.kept:
        case Keep.UNDONE | Keep.CHANGED | Keep.GONE if row.newer:
            return _BY[row.kept] % {
                "who": row.newer.who,
                "when": moment_in_words(row.newer.at),
            }
        case Keep.GONE:
            return _("It is not there any more")
        case Keep.CHANGED:
            return _("It is there already")
        case Keep.IN_USE if row.by_count > 1:
            more = row.by_count - 1
            return ngettext(
                "In use by %(by)s and %(more)s more", "In use by %(by)s and %(more)s more", more
            ) % {"by": by, "more": grouped(more)}
        case Keep.IN_USE:
            return _("In use by %(by)s") % {"by": by}
        case Keep.PART:
            return _("Part of %(by)s, which stays") % {"by": by}
        case Keep.MISSING:
            return _("It points at %(by)s, which is gone") % {"by": by}
        case Keep.TAKEN:
            return _("%(by)s has its place now. %(rule)s") % {"by": by, "rule": _rule(row)}
        case Keep.FORBIDDEN:
            return _("Not allowed any more: %(rule)s") % {"rule": _rule(row)}
        case Keep.PERMANENT:
            return _("Rows of this kind never change or go")
        case Keep.UNKNOWN:
            return _("What it was before is older than the record")
        case Keep.INCOMPLETE:
            return _("The record does not keep all that it needs, such as a password. Add it anew")
        case Keep.NOT_PERMITTED:
            return _("You may not do this. Ask somebody who may")
    return ""


def _rule(row: PlannedRow) -> str:
    """A constraint in the words of its model, or by its name."""
    constraints: Iterable[object] = (
        constraint for model in trailed_models for constraint in model._meta.constraints
    )
    for constraint in constraints:
        if getattr(constraint, "name", "") == row.rule:
            message = getattr(constraint, "violation_error_message", None)
            default = getattr(constraint, "default_violation_error_message", None)
            if message and message != default:
                return str(message)
    return row.rule
