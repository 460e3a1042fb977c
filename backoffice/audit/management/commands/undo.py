import json
import sys
from argparse import ArgumentParser
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from backoffice.audit.exceptions import NothingToUndo
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.names import named_rows
from backoffice.audit.undo.plan import Keep, Tally, UndoPlan
from backoffice.audit.undo.services import plan_undo, undo_change_set
from backoffice.audit.undo.wording import ACTS, tally_in_words
from backoffice.exceptions import DomainError
from backoffice.progress import TerminalTeller

_SHOWN = 20
# A program may want to see to each of them; a million are for the page.
_SHOWN_TO_PROGRAMS = 1_000


def _telling() -> AbstractContextManager[object]:
    """How far it is, for whoever looks on: in a log or a pipe it would be noise."""
    return TerminalTeller(sys.stderr) if sys.stderr.isatty() else nullcontext()


class Command(BaseCommand):
    help = (
        "Puts back what a change set did, as far as nobody has built on it since, and says what "
        "it kept and why. The undo is a change set of its own. Exit status 1 if it is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("change_set", type=int, help="its number, as on the timeline")
        parser.add_argument("--reason", default="", help="why; needed unless --dry-run")
        parser.add_argument("--dry-run", action="store_true", help="say what it would do")
        parser.add_argument("--user", help="e-mail address of whom to act as, with their rights")
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        change_set = ChangeSet.objects.filter(pk=options["change_set"]).first()
        if change_set is None:
            raise CommandError(f"There is no change set {options['change_set']}.")
        actor = self._user(options["user"])
        try:
            # The pages of the plan last as long as the transaction.
            with transaction.atomic():
                undone_by = None
                if options["dry_run"]:
                    plan = plan_undo(change_set, actor=actor)
                else:
                    with _telling():
                        result = undo_change_set(
                            change_set=change_set, actor=actor, reason=options["reason"]
                        )
                    plan, undone_by = result.plan, result.change_set.pk
                self._tell(plan, undone_by, as_json=options["json"])
        except DomainError as refusal:
            self._refuse(refusal, as_json=options["json"])

    @staticmethod
    def _user(email: str | None) -> Any:
        if not email:
            return None
        try:
            return get_user_model()._default_manager.get_by_natural_key(email)
        except get_user_model().DoesNotExist:
            raise CommandError(f"There is no user {email}.") from None

    def _refuse(self, refusal: DomainError, *, as_json: bool) -> None:
        plan = refusal.plan if isinstance(refusal, NothingToUndo) else None
        if as_json:
            report = {"error": str(refusal), **(_counts(plan) if plan else {})}
            self.stdout.write(json.dumps(report, ensure_ascii=False))
            raise SystemExit(1) from refusal
        for tally in plan.tallies if plan else ():
            self.stderr.write(tally_in_words(tally))
        raise CommandError(str(refusal)) from refusal

    def _tell(self, plan: UndoPlan, undone_by: int | None, *, as_json: bool) -> None:
        if as_json:
            report = {
                "change_set": plan.change_set.pk,
                "undone_by": undone_by,
                **_counts(plan),
                "models": {
                    tally.model._meta.label_lower: {
                        **{act.value: number for act, number in tally.acts.items()},
                        "kept": {why.value: number for why, number in tally.kept.items()},
                        "kept_rows": _kept_rows(plan, tally),
                    }
                    for tally in plan.tallies
                },
            }
            self.stdout.write(json.dumps(report, ensure_ascii=False))
            return
        if undone_by is None:
            self.stdout.write("Nothing is written. It would come to this:")
        for tally in plan.tallies:
            self.stdout.write(tally_in_words(tally))
            self._tell_rows(plan, tally, kept=True, total=tally.total_kept)
            if undone_by is None:
                self._tell_rows(plan, tally, kept=False, total=tally.undone)
        if undone_by is not None:
            self.stdout.write(f"On the record as change set {undone_by}.")

    def _tell_rows(self, plan: UndoPlan, tally: Tally, *, kept: bool, total: int) -> None:
        if not total:
            return
        for named in named_rows(tally.model, plan.rows(tally.model, kept=kept, size=_SHOWN)):
            self.stdout.write(f"  {named.name}: {named.reason or ACTS[named.row.act]}.")
        if total > _SHOWN:
            self.stdout.write(f"  ... and {total - _SHOWN} more.")


def _kept_rows(plan: UndoPlan, tally: Tally) -> list[dict[str, Any]]:
    if not tally.total_kept:
        return []
    rows = plan.rows(tally.model, kept=True, size=_SHOWN_TO_PROGRAMS)
    return [
        {"key": str(named.key), "name": named.name, "why": named.row.kept, "reason": named.reason}
        for named in named_rows(tally.model, rows)
    ]


def _counts(plan: UndoPlan) -> dict[str, int]:
    since = plan.kept(Keep.CHANGED, Keep.GONE)
    in_use = plan.kept(Keep.IN_USE, Keep.PART)
    before = plan.kept(Keep.UNDONE)
    return {
        "reverted": plan.undone,
        "undone_before": before,
        "kept_changed_since": since,
        "kept_in_use": in_use,
        "kept_forbidden": plan.total_kept - since - in_use - before,
    }
