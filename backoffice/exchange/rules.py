"""What can be wrong with a row although each of its cells is right.

All of it is SQL over `s` (a row of the checked table), `t` (the live row that it meets, or NULLs)
and `d` (its key, if that stands in more than one row).
"""

from collections.abc import Iterator

from django.db import connection, models
from django.db.models.sql import Query

from .checking import created_by, mapped_columns
from .children import ChildrenColumn, ChildTextsColumn
from .clearing import blank_value
from .columns import ListColumn, RelationColumn
from .compiling import compile_columns
from .models import ImportJob
from .resources import Resource
from .sql import column_of, literal, quote
from .uniqueness import unique_texts

type Condition = tuple[str, str]  # problem, SQL that is true where a row has it


class RowRules:
    """The rules for the rows of one job. `creates`: relations whose missing objects are made."""

    def __init__(self, job: ImportJob, resource: Resource, creates: frozenset[str]) -> None:
        self.job, self.resource, self.creates = job, resource, creates
        self.model = resource.model()
        self.all_columns = compile_columns(resource)
        self.columns = mapped_columns(job, resource)
        self.key = self.columns[resource.key()]
        self.checked = job.stage("checked")

    def conditions(self) -> list[Condition]:
        """Every rule. Those over several fields are judged only where each cell is right."""
        whole = [*self._declared(), *self._check_constraints(), *self._unique_constraints()]
        return [
            *self._required(),
            (f"{self.key.name}:duplicate", "d.key IS NOT NULL"),
            *self._relations(),
            *((code, f"cardinality(s.problems) = 0 AND ({broken})") for code, broken in whole),
        ]

    def _required(self) -> Iterator[Condition]:
        """The key always; what has no default in new rows. A wrong cell is not a missing one."""
        for name, column in self.all_columns.items():
            if column is not self.key and name != self.key.name and column.default() is not None:
                continue
            new = "true" if name == self.key.name else "t.id IS NULL"
            blank = f"s.{column.value} IS NULL" if name in self.columns else "true"
            wrong = f"p LIKE 'row:%' OR p LIKE {literal(f'{name}:%')}"
            unsaid = f"NOT EXISTS (SELECT 1 FROM unnest(s.problems) p WHERE {wrong})"
            yield f"{name}:required", f"{new} AND {blank} AND {unsaid}"
        if self.job.blank_cells != ImportJob.BlankCells.KEEP:
            for name, column in self.columns.items():
                if column is self.key or blank_value(column, self.job.blank_cells) is not None:
                    continue
                unsaid = (
                    "NOT EXISTS (SELECT 1 FROM unnest(s.problems) p WHERE p LIKE 'row:%' "
                    f"OR p LIKE {literal(f'{name}:%')})"
                )
                yield f"{name}:blank", f"t.id IS NOT NULL AND s.{column.value} IS NULL AND {unsaid}"

    def _relations(self) -> Iterator[Condition]:
        for name, column in self.columns.items():
            missing = "no_create" if name in created_by(self.job, self.resource) else "unknown"
            if isinstance(column, RelationColumn):
                value = f"lower(s.{column.value})"
                known = (
                    f"{value} IN (SELECT lower({column.related_key}) FROM {column.related_table})"
                )
                if column.is_self:
                    known += (
                        f" OR {value} IN (SELECT lower({self.key.value}) FROM {self.checked} "
                        f"WHERE {self.key.value} IS NOT NULL)"
                    )
                    yield f"{name}:itself", f"{value} = lower(s.{self.key.value})"
                if name not in self.creates:
                    yield (
                        f"{name}:{missing}",
                        f"s.{column.value} IS NOT NULL AND NOT ({known})",
                    )
            elif isinstance(column, ListColumn) and name not in self.creates:
                there = f"SELECT lower({column.related_key}) FROM {column.related_table}"
                names = f"SELECT lower(n) AS name FROM unnest(s.{column.value}) n"
                condition = f"EXISTS (SELECT 1 FROM ({names}) x WHERE x.name NOT IN ({there}))"
                yield f"{name}:{missing}", condition
            elif isinstance(column, ChildTextsColumn):
                addresses = self.columns.get(column.widget.children)
                bearers = addresses if isinstance(addresses, ChildrenColumn) else None
                yield f"{name}:excess", column.excess(bearers)

    def _declared(self) -> Iterator[Condition]:
        """The resource's own rules, where the file has every column that they speak of."""
        for rule in self.resource.row_rules():
            spoken_of = {n for n in self.all_columns if f'"v_{n}"' in rule.broken}
            if spoken_of <= self.columns.keys():
                yield f"{rule.field}:{rule.code}", rule.broken.format(rows=self.checked)

    def _check_constraints(self) -> Iterator[Condition]:
        """The model's CHECK constraints over what the rows will be: said before, not after."""
        for constraint in self.model._meta.constraints:
            if not isinstance(constraint, models.CheckConstraint) or not isinstance(
                constraint.condition, models.Q
            ):
                continue
            names = sorted(constraint.condition.referenced_base_fields)
            mapped = [name for name in names if name in self.columns]
            values = [self._will_be(name) for name in names]
            if not mapped or None in values:
                continue
            holds = self._sql_of(constraint.condition)
            for name, value in zip(names, values, strict=True):
                holds = holds.replace(column_of(self.model, name), f"({value})")
            yield f"{mapped[0]}:{constraint.name}", f"NOT ({holds})"

    def _will_be(self, name: str) -> str | None:
        """What a field will hold after the import; None where that cannot be said here."""
        column = self.all_columns.get(name)
        default = (column.default() if column else None) or "NULL"
        # Of a new row, all of `t` is NULL.
        otherwise = live = f"t.{column_of(self.model, name)}"
        if default != "NULL":
            otherwise = f"CASE WHEN t.id IS NULL THEN {default} ELSE {live} END"
        if column is None or name not in self.columns:
            return otherwise
        column = self.columns[name]
        if column.db_column is None or isinstance(column, RelationColumn):
            return None
        said = f"COALESCE(s.{column.value}, {otherwise})"
        return f"CASE WHEN {column.cleared} THEN NULL ELSE {said} END" if column.may_clear else said

    def _sql_of(self, condition: models.Q) -> str:
        query = Query(model=self.model, alias_cols=False)
        compiler = query.get_compiler(connection=connection)
        text, parameters = query.build_where(condition).as_sql(compiler, connection)
        return str(text) % tuple(literal(parameter) for parameter in parameters)

    def _unique_constraints(self) -> Iterator[Condition]:
        """Unique texts besides the key: once in the file, and not another row's already."""
        table = quote(self.model._meta.db_table)
        for column in unique_texts(self.model, self.columns):
            if column is self.key:
                continue
            value = f"lower(s.{column.value})"
            repeated = (
                f"SELECT lower({column.value}) FROM {self.checked} "
                f"WHERE {column.value} IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
            )
            others = (
                f"SELECT 1 FROM {table} o WHERE lower(o.{column.db_column}) = {value} "
                "AND o.id IS DISTINCT FROM t.id"
            )
            yield f"{column.name}:duplicate", f"{value} IN ({repeated})"
            yield f"{column.name}:taken", f"EXISTS ({others})"
