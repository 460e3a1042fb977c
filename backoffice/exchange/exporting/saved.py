"""Chosen columns in chosen order, saved under a name: for oneself, or for everybody."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit.context import Source, audit_context, current_context
from backoffice.audit.language import on_record
from backoffice.exchange.exceptions import TemplateRefused
from backoffice.exchange.models import ExportTemplate


def may_share(user: Any) -> bool:
    return bool(user.has_perm("exchange.add_exporttemplate"))


def may_delete(template: ExportTemplate, user: Any) -> bool:
    """One's own always; what is for everybody, with the right to delete templates."""
    is_own = template.user_id == user.pk
    return is_own or (template.is_shared and user.has_perm("exchange.delete_exporttemplate"))


@transaction.atomic
def save_template(
    *,
    name: str,
    resource: str,
    user: Any,
    columns: Sequence[str],
    file_format: str,
    is_shared: bool = False,
) -> ExportTemplate:
    """Keep columns under a name; one's own template of that name is replaced.

    Raises TemplateRefused without a name or a column, for a name that somebody else uses, and
    without the right to share.
    """
    name = name.strip()
    if not name or not columns:
        raise TemplateRefused(_("Give the template a name, and choose its columns."))
    if is_shared and not may_share(user):
        raise TemplateRefused(_("You may keep templates for yourself only. Leave the tick away."))
    named = ExportTemplate.objects.select_for_update().filter(
        Exact(Lower("name"), Lower(Value(name))), resource=resource
    )
    template = named.first() or ExportTemplate(resource=resource, user=user)
    if template.user_id != user.pk:
        raise TemplateRefused(
            _("Somebody else has a template “%(name)s”. Choose another name.") % {"name": name}
        )
    template.name, template.columns = name, list(columns)
    template.format, template.is_shared = file_format, is_shared
    with _at_work(user, gettext_lazy("Export template “%(name)s” saved"), name):
        template.save()
    return template


@transaction.atomic
def delete_template(*, template: ExportTemplate, user: Any) -> None:
    """Raises TemplateRefused for somebody else's."""
    if not may_delete(template, user):
        raise TemplateRefused(
            _("“%(name)s” is somebody else's template. Ask them to delete it.")
            % {"name": template.name}
        )
    with _at_work(user, gettext_lazy("Export template “%(name)s” deleted"), template.name):
        template.delete()


def _at_work(user: Any, action: Any, name: str) -> Any:
    source = {} if current_context() else {"source": Source.SHELL}
    return audit_context(action=on_record(action, {"name": name}), actor=user, **source)
