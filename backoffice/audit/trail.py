"""`history = Trail()`: the declaration that puts a model on the record."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pgtrigger
from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

from . import triggers
from .querysets import HistoryQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Models whose history is kept, in the order of their declaration.
trailed_models: list[type[models.Model]] = []


def _is_found_by_itself(model: type[models.Model], part_of: tuple[str, ...]) -> bool:
    """Whether people look for deleted rows of a model: none of links, of parts, of what stays."""
    if part_of or getattr(model, "no_undo", None):
        return False
    rest = [field for field in model._meta.fields if not field.primary_key]
    is_link = all(isinstance(field, models.ForeignKey) for field in rest)
    return not is_link and not any(field.one_to_one for field in rest)


class Trail(HistoricalRecords):
    """django-simple-history's tables, written by PostgreSQL instead of by signals.

    Three statement triggers record what any route wrote: `save`, `update()`, `bulk_*`, cascades,
    COPY, SQL. Secrets go into `excluded_fields`. A change in `ignored_fields` alone is no change;
    the version and `updated_at` of a VersionedModel are always among them. `part_of` names the
    foreign keys to the objects whose history shows these rows too, and which undo treats as one
    with them. `seen_from` names foreign keys to objects whose history shows these rows as well,
    though they stand on their own, and what one and several of them are called there:
    {"variant_of": ("variant", "variants")}. `beside` is a column that names an object of any
    model, "inventory.product/12", whose history shows these rows too.
    """

    def __init__(
        self,
        *,
        ignored_fields: Iterable[str] = (),
        part_of: Iterable[str] = (),
        seen_from: "Mapping[str, tuple[StrOrPromise, StrOrPromise]] | None" = None,
        beside: str = "",
        **options: Any,
    ) -> None:
        self.beside = (beside,) if beside else ()
        self.ignored_fields = {"version", "updated_at", *ignored_fields}
        self.part_of = tuple(part_of)
        self.seen_from = dict(seen_from or {})
        options.setdefault("history_id_field", models.BigAutoField())
        options.setdefault("history_change_reason_field", models.TextField(null=True))
        options.setdefault("user_db_constraint", False)
        options.setdefault("historical_queryset", HistoryQuerySet)
        super().__init__(**options)

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        known = hasattr(sender._meta, "simple_history_manager_attribute")
        super().finalize(sender, **kwargs)
        if known or not hasattr(sender._meta, "simple_history_manager_attribute"):
            return
        history_model = getattr(sender, self.manager_name).model
        # What undo asks of the declaration.
        history_model.ignored_fields = frozenset(self.ignored_fields)
        history_model.part_of = self.part_of
        history_model.seen_from = self.seen_from
        history_model.lists_deleted = _is_found_by_itself(sender, self.part_of)
        pgtrigger.register(triggers.append_only())(history_model)
        pgtrigger.register(
            *triggers.write_history(sender, history_model, sorted(self.ignored_fields)),
            triggers.fixed_key(sender),
            triggers.no_truncate(),
        )(sender)
        if {"version", "updated_at"} <= {field.name for field in sender._meta.fields}:
            pgtrigger.register(triggers.raise_version())(sender)
        trailed_models.append(sender)

    def copy_fields(self, model: type[models.Model]) -> dict[str, models.Field]:
        """The model's fields without its indexes: they cost every bulk write up to a fifth."""
        fields: dict[str, models.Field] = super().copy_fields(model)
        for field in fields.values():
            field.db_index = False  # type: ignore[attr-defined]
        return fields

    def get_extra_fields(self, model: type[models.Model], fields: Any) -> dict[str, Any]:
        return {
            **super().get_extra_fields(model, fields),
            "change_set": models.ForeignKey(
                "audit.ChangeSet",
                on_delete=models.DO_NOTHING,
                related_name="+",
                # Change sets cannot go, so there is nothing to check a million times.
                db_constraint=False,
                db_index=False,
            ),
        }

    def _get_history_user_fields(self) -> dict[str, Any]:
        """Who it was, without a constraint and never set to NULL when the user goes."""
        return {
            "history_user": models.ForeignKey(
                settings.AUTH_USER_MODEL,
                on_delete=models.DO_NOTHING,
                null=True,
                related_name="+",
                db_constraint=False,
                db_index=False,
            )
        }

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Indexes: the history of one object, the contents of one change set, parts of a whole.

        What few rows have is indexed for those alone: a deletion, an object that shows them.
        """
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        return {
            **super().get_meta_options(model),
            "default_permissions": ("view",),
            "indexes": [
                models.Index(
                    fields=[model._meta.pk.attname, "-history_date", "-history_id"],
                    name=f"{name[:25]}_hobj",
                ),
                models.Index(fields=["change_set", "history_id"], name=f"{name[:25]}_hset"),
                *(
                    models.Index(
                        fields=[whole, "-history_date", "-history_id"],
                        name=f"{name[:18]}_{whole[:8]}_h",
                    )
                    for whole in (*self.part_of, *self.beside)
                ),
                *(
                    models.Index(
                        fields=[other, "-history_date", "-history_id"],
                        name=f"{name[:18]}_{other[:8]}_s",
                        condition=models.Q(**{f"{other}__isnull": False}),
                    )
                    for other in self.seen_from
                ),
                *(
                    [
                        models.Index(
                            fields=["-history_id"],
                            name=f"{name[:25]}_hgone",
                            condition=models.Q(history_type="-"),
                        )
                    ]
                    if _is_found_by_itself(model, self.part_of)
                    else []
                ),
            ],
        }

    # The triggers write; the library's signal handlers must not write as well.
    def post_save(self, *args: Any, **kwargs: Any) -> None:
        pass

    def post_delete(self, *args: Any, **kwargs: Any) -> None:
        pass

    def pre_delete(self, *args: Any, **kwargs: Any) -> None:
        pass
