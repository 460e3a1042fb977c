from collections.abc import Collection

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext_lazy as _

from backoffice.audit.models import VersionedModel
from backoffice.audit.trail import Trail
from backoffice.audit.triggers import UnskippableTrigger
from inventory.managers import CategoryManager, TagManager

from .fields import NameSlugField, SlugFromName

PATH_SEPARATOR = " > "

# Moves go one at a time, or two of them could close a circle. The lock comes before those of the
# rows: after them, two crossing moves would wait for each other.
_ONE_MOVE_AT_A_TIME = UnskippableTrigger(
    name="one_move_at_a_time",
    level=pgtrigger.Statement,
    when=pgtrigger.Before,
    operation=pgtrigger.UpdateOf("parent_id"),  # type: ignore[no-untyped-call]
    func=(
        "PERFORM pg_advisory_xact_lock('inventory_category'::regclass::oid::bigint); RETURN NULL;"
    ),
)
# The path follows from the names above, whoever renames or moves one of them. The parent is locked
# while a child takes its path.
_KEEP_PATH = UnskippableTrigger(
    name="keep_path",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update,
    func="""
        NEW.path := NEW.name;
        IF NEW.parent_id IS NOT NULL THEN
            IF EXISTS (
                WITH RECURSIVE above(id) AS (
                    SELECT NEW.parent_id
                    UNION
                    SELECT c.parent_id FROM inventory_category c JOIN above USING (id)
                )
                SELECT 1 FROM above WHERE id = NEW.id
            ) THEN
                RAISE EXCEPTION 'Category "%" cannot lie within itself.', NEW.name USING
                    ERRCODE = 'check_violation', CONSTRAINT = 'inventory_category_no_cycle',
                    TABLE = 'inventory_category';
            END IF;
            SELECT path || ' > ' || NEW.name INTO NEW.path
                FROM inventory_category WHERE id = NEW.parent_id FOR SHARE;
            IF lower(NEW.name) = ANY (
                (string_to_array(lower(NEW.path), ' > '))[
                    :cardinality(string_to_array(NEW.path, ' > ')) - 1
                ]
            ) THEN
                RAISE EXCEPTION 'Category "%" cannot lie within one of its own name.', NEW.name
                    USING ERRCODE = 'check_violation', TABLE = 'inventory_category',
                    CONSTRAINT = 'inventory_category_not_within_namesake';
            END IF;
        END IF;
        RETURN NEW;
    """,
)
# After the whole statement, and by its name after the trigger that writes its history: a row has
# its own change on the record before that which follows from its parent's. An UPDATE of no rows
# fires statement triggers too, hence the IF, which ends the recursion.
_PASS_PATH_ON = UnskippableTrigger(
    name="pass_path_on",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Update,
    referencing=pgtrigger.Referencing(  # type: ignore[no-untyped-call]
        old="old_rows", new="new_rows"
    ),
    func="""
        IF EXISTS (
            SELECT 1 FROM new_rows n JOIN old_rows o USING (id) WHERE n.path <> o.path
        ) THEN
            UPDATE inventory_category c SET path = '' FROM new_rows n JOIN old_rows o USING (id)
            WHERE c.parent_id = n.id AND n.path <> o.path;
        END IF;
        RETURN NULL;
    """,
)


class Category(VersionedModel):
    """A place in the tree by which the catalogue is arranged; `path` names the whole way to it."""

    name = models.CharField(
        _("name"),
        max_length=100,
        validators=[RegexValidator("[<>]", _("A name has no < or >."), inverse_match=True)],
    )
    slug = NameSlugField(_("slug"), help_text=_("Made from the name if left blank."))
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("within"),
        help_text=_("The category that this one lies in; none for the top level."),
    )
    path = models.TextField(_("path"), db_default="", editable=False)
    description = models.TextField(_("description"), blank=True)

    objects = CategoryManager()
    history = Trail()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        default_permissions = ("add", "change", "delete", "view", "import", "export")
        ordering = ("path",)
        triggers = [
            SlugFromName("inventory_category"),
            _ONE_MOVE_AT_A_TIME,
            _KEEP_PATH,
            _PASS_PATH_ON,
        ]
        indexes = [
            models.Index(fields=["path"], name="inventory_category_path"),
            GinIndex(OpClass(Upper("path"), name="gin_trgm_ops"), name="inventory_category_search"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("path"),
                name="inventory_category_path_unique",
                violation_error_message=_("There is a category of this name here already."),
            ),
            models.UniqueConstraint(
                Lower("slug"),
                name="inventory_category_slug_unique",
                violation_error_message=_("Another category has this slug already."),
            ),
            models.CheckConstraint(
                # Single words apart by single spaces, and no sign that a path is written with.
                condition=models.Q(name__regex=r"^[^\s<>]+( [^\s<>]+)*$"),
                name="inventory_category_name_plain",
                violation_error_message=_("A name has no < or >, and single spaces only."),
            ),
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("id")),
                name="inventory_category_not_own_parent",
                violation_error_message=_("A category cannot lie within itself."),
            ),
        ]

    def __str__(self) -> str:
        return self.path if self.pk and self.path else self.name

    @classmethod
    def clean_path(cls, path: str) -> str:
        """A path in its one form, "A > B".

        Raises ValueError, with a remedy, where a name in it is blank or too long, or stands in it
        twice: a category cannot lie within itself.
        """
        names = [" ".join(name.split()) for name in path.split(PATH_SEPARATOR.strip())]
        if not all(names):
            raise ValueError(
                _("“%(path)s” has a blank name. Write a name on both sides of each >.")
                % {"path": path}
            )
        longest = max(names, key=len)
        limit = cls._meta.get_field("name").max_length  # type: ignore[union-attr]
        if limit and len(longest) > limit:
            raise ValueError(
                _("The category “%(name)s...” has %(length)d characters; at most %(limit)d fit.")
                % {"name": longest[:40], "length": len(longest), "limit": limit}
            )
        if "<" in path:
            raise ValueError(
                _("“%(path)s” has a <, which a category's name cannot have. Remove it.")
                % {"path": path}
            )
        if len({name.lower() for name in names}) < len(names):
            raise ValueError(
                _(
                    "“%(path)s” names a category twice, so it would lie within itself. Name each "
                    "category once."
                )
                % {"path": path}
            )
        return PATH_SEPARATOR.join(names)

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        self.name = " ".join(self.name.split())
        super().clean_fields(exclude=exclude)

    def clean(self) -> None:
        super().clean()
        place: Category | None = self.parent
        while place is not None:
            if place.pk == self.pk:
                raise ValidationError(
                    {
                        "parent": _(
                            "“%(place)s” lies within “%(name)s”. Choose a category outside of it."
                        )
                        % {"place": self.parent, "name": self.name}
                    }
                )
            place = place.parent
        above = self.parent.path.split(PATH_SEPARATOR) if self.parent else []
        if self.name.lower() in [name.lower() for name in above]:
            raise ValidationError(
                {"name": _("A category above has this name already. Choose another.")}
            )
        siblings = type(self).objects.named(self.name).filter(parent=self.parent)
        if siblings.exclude(pk=self.pk).exists():
            raise ValidationError({"name": _("There is a category of this name here already.")})


class Tag(VersionedModel):
    """A word by which products are found and grouped across categories."""

    name = models.CharField(_("name"), max_length=50)
    slug = NameSlugField(_("slug"), help_text=_("Made from the name if left blank."))

    objects = TagManager()
    history = Trail()

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        default_permissions = ("add", "change", "delete", "view", "import", "export")
        ordering = ("name",)
        triggers = [SlugFromName("inventory_tag")]
        indexes = [
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="inventory_tag_search"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="inventory_tag_name_unique",
                violation_error_message=_("This tag exists already."),
            ),
            models.UniqueConstraint(
                Lower("slug"),
                name="inventory_tag_slug_unique",
                violation_error_message=_("Another tag has this slug already."),
            ),
            models.CheckConstraint(
                condition=~models.Q(name="") & ~models.Q(name__contains=","),
                name="inventory_tag_name_without_comma",
                violation_error_message=_("A tag has no comma: files separate tags by it."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
