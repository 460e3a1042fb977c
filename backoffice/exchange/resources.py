"""What can be brought in and taken out: django-import-export's resources, declared once each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db import models
from import_export import widgets
from import_export.resources import ModelResource

from .exceptions import UnknownResource

if TYPE_CHECKING:
    from .formats import ForeignFile, SourceFormat


@dataclass(frozen=True)
class RowRule:
    """A rule over a whole row that no constraint of the model states by itself.

    `broken` is SQL that is true where the row breaks it: `s` is the row of the file (its cleaned
    values are s."v_<field>"), `t` the live row or NULLs, `{rows}` the table of all rows of the
    file.
    """

    field: str
    code: str
    broken: str
    message: Any


class PathWidget(widgets.ForeignKeyWidget):
    """A place in a tree by its path, such as "Audio > MP3 players".

    `levels` name further columns that a file may have for the lower levels; they are put behind
    the first. Raises ValueError for a path that cannot be.
    """

    separator = " > "

    def __init__(
        self, model: type[models.Model], field: str = "path", levels: Sequence[str] = ()
    ) -> None:
        self.levels = tuple(levels)
        super().__init__(model, field=field)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        """The path with one space around each sign; no look-up, which is done set-based."""
        return self.model.clean_path(value) if value else None


class OwnPathWidget(PathWidget):
    """The path by which the rows of a tree themselves are known: their key."""


class Resource(ModelResource):
    """A ModelResource whose declaration drives our engine instead of the library's row loop.

    `fields`, the widgets and `import_id_fields` (one field) mean what they mean there. `name` is
    what commands and addresses call it, `aliases` are other headers that a field goes by, best
    first, and `creates` names the relations whose missing objects an import makes.
    """

    name: ClassVar[str] = ""
    aliases: ClassVar[Mapping[str, Sequence[str]]] = {}
    creates: ClassVar[frozenset[str]] = frozenset()
    # Whether a plain INSERT cannot make a row of it, since the key says where in a tree it lies.
    makes_rows: ClassVar[bool] = False
    # Files of other software that become rows of this, and files of something else.
    formats: ClassVar[Sequence["SourceFormat"]] = ()
    foreign_files: ClassVar[Sequence["ForeignFile"]] = ()
    # The field that is true while a row is in use, if a full list may set it to false in the rows
    # that it does not name; and the fields by which such a list may be of a part of the table.
    deactivates: ClassVar[str] = ""
    deactivates_within: ClassVar[Sequence[str]] = ()
    # {field: what its cells are}, by which a column without a telling header is guessed; see
    # guessing.CONTENTS.
    contents: ClassVar[Mapping[str, str]] = {}
    # {field: cell} of the row that a template file begins with; it can be imported as it is.
    example: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def model(cls) -> type[models.Model]:
        return cls._meta.model  # type: ignore[no-any-return]

    @classmethod
    def key(cls) -> str:
        """The field by which rows of a file and rows of the table are the same."""
        return str(cls._meta.import_id_fields[0])

    def row_rules(self) -> Sequence[RowRule]:
        return ()

    def create_related(self, field: str, names: Sequence[str]) -> None:
        """Make the objects of these names that a relation in `creates` refers to."""
        widget = self.fields[field].widget
        widget.model.objects.bulk_create(widget.model(**{widget.field: name}) for name in names)

    def make_rows(self, keys: Sequence[str]) -> int:
        """Make the rows of these keys and say how many; other columns are written afterwards.

        Only for resources that say so by `makes_rows`.
        """
        raise NotImplementedError

    def made_on_the_way(self, keys: Sequence[str]) -> list[str]:
        """The keys of further rows that make_rows() makes for these, such as the places above.

        They are named before; create_related() is told of them too, before make_rows().
        """
        return []

    def values_of_new_rows(self, user: Any) -> Mapping[str, Any]:
        """Columns that an import fills in new rows although no file has them."""
        return {}


_resources: dict[str, type[Resource]] = {}


def register[R: type[Resource]](resource: R) -> R:
    """Offer a resource in pages and commands. What it must not be, the system checks say.

    Raises ImproperlyConfigured without a name or a key.
    """
    if not resource.name or len(resource._meta.import_id_fields) != 1:
        raise ImproperlyConfigured(f"{resource.__name__} needs a name and one import_id_field.")
    _resources[resource.name] = resource
    return resource


def get_resource(name: str) -> Resource:
    """The resource of this name. Raises UnknownResource, which lists those that there are."""
    try:
        return _resources[name]()
    except KeyError:
        raise UnknownResource(name, sorted(_resources)) from None


def registered() -> list[type[Resource]]:
    return [resource for _name, resource in sorted(_resources.items())]


def resource_names() -> list[str]:
    return sorted(_resources)
