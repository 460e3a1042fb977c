"""Whatever is written, in whatever order and however it ends, the record is exactly that."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backoffice.accounts.models import User
from backoffice.audit.invariants import live_rows_off_the_record, rows_without_a_change_set
from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import history_of
from tests.personas import Persona, make_user

from .random_writes import COLUMNS, Told, World, recorded, renumbered

number = st.integers(0, 3)
mask = st.integers(0, 63)
name = st.integers(0, 2)
price = st.integers(1, 3)

statements = st.one_of(
    st.tuples(
        st.just("add_products"),
        st.sampled_from(["save", "bulk", "many", "copy"]),
        st.integers(1, 3),
        price,
    ),
    st.tuples(
        st.just("price"), st.sampled_from(["save", "update", "bulk", "sql", "upsert"]), mask, price
    ),
    st.tuples(st.just("delete_products"), st.sampled_from(["one", "all"]), mask),
    st.tuples(st.just("add_tag")),
    st.tuples(st.just("delete_tag"), number),
    st.tuples(
        st.just("tags"), st.sampled_from(["add", "remove", "set", "clear", "sql"]), number, mask
    ),
    st.tuples(st.just("add_image"), number),
    st.tuples(st.just("move_images"), mask, number),
    st.tuples(st.just("add_category"), number, name),
    st.tuples(st.just("rename_category"), number, name),
    st.tuples(st.just("move_category"), number, number),
    st.tuples(st.just("delete_category"), number),
    st.tuples(st.just("put_into_category"), mask, number),
)
programs = st.lists(
    st.recursive(
        statements,
        lambda inner: st.one_of(
            st.tuples(st.just("transaction"), st.booleans(), st.lists(inner, max_size=8)),
            st.tuples(st.just("within"), st.integers(0, 1), st.lists(inner, max_size=8)),
        ),
        max_leaves=25,
    ),
    min_size=1,
    max_size=12,
)
# So that most programs have something to change from the start.
BEGINNING: list[Any] = [
    ("add_products", "save", 3, 2),
    ("add_tag",),
    ("add_tag",),
    ("tags", "set", 0, 63),
    ("add_image", 0),
    ("add_category", 0, 0),
    ("add_category", 1, 1),
]


@pytest.fixture
def actors(transactional_db: None) -> list[User]:
    return [make_user(Persona.CATALOGUE_MANAGER), make_user(Persona.ADMINISTRATOR)]


@pytest.fixture
def off_before(actors: list[User]) -> set[str]:
    """Roles that migrations made have lost their history to the flush of an earlier test."""
    return set(live_rows_off_the_record())


def start_again() -> None:
    """Empty the tables and their history. Here, as in the flush, triggers are set aside for it."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for model in reversed(COLUMNS):
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
            cursor.execute(f'DELETE FROM "{history_of(model)._meta.db_table}"')
        cursor.execute("SET session_replication_role = origin")


def differences(world: World) -> Iterator[tuple[Any, ...]]:
    """Where the database is not what the model says."""
    numbers: dict[int, int] = {}
    found = {model: recorded(model, history_of(model).objects) for model in COLUMNS}
    for model, columns in COLUMNS.items():
        live = {key: tuple(rest) for key, *rest in model._base_manager.values_list("pk", *columns)}
        if live != world.model.rows[model]:
            yield model, "live", live, world.model.rows[model]
    for (model, key), expected in world.model.history.items():
        for told, wanted in zip(found[model].get(key, []), expected, strict=False):
            numbers.setdefault(told.together, wanted.together)
    if len(set(numbers.values())) != len(numbers):
        yield "change sets", numbers
    for (model, key), expected in world.model.history.items():
        rows = [renumbered(told, numbers) for told in found[model].pop(key, [])]
        if rows != expected:
            yield model, key, rows, expected
    for model, more in found.items():
        if more:
            yield model, "never happened", more
    last = ChangeSet.objects.in_bulk(numbers)
    for told in (told for history in world.model.history.values() for told in history):
        identity = next((k for k, v in numbers.items() if v == told.together), None)
        if identity in last and not _says(last[identity], told):
            yield "change set", last[identity], told


def _says(change_set: ChangeSet, told: Told) -> bool:
    announced = told.who.actor is not None
    return (change_set.source, change_set.actor_id, change_set.reason or None) == (
        "admin" if announced else "sql",
        told.who.actor,
        told.who.reason,
    )


def check(program: list[Any], actors: list[User], off_before: set[str]) -> None:
    start_again()
    latest = ChangeSet.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    world = World(actors)
    world.run([*BEGINNING, *program])

    assert list(differences(world)) == []
    # No change set is empty, and none is missing.
    together = {told.together for history in world.model.history.values() for told in history}
    assert ChangeSet.objects.filter(pk__gt=latest).count() == len(together)
    assert set(live_rows_off_the_record()) == off_before  # I8
    assert list(rows_without_a_change_set()) == []  # I10


@settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(program=programs)
@example(
    program=[
        (
            "transaction",
            True,
            [
                ("within", 0, [("price", "update", 63, 1)]),
                ("transaction", False, [("within", 1, [("delete_products", "all", 63)])]),
                ("within", 0, [("price", "sql", 63, 3)]),
                ("price", "upsert", 63, 1),
            ],
        )
    ]
)
def test_the_record_is_what_happened(
    program: list[Any], actors: list[User], off_before: set[str]
) -> None:
    check(program, actors, off_before)


@pytest.mark.parametrize("verb", ["insert", "update", "delete"])
def test_the_comparison_sees_what_a_missing_trigger_leaves_out(
    verb: str, actors: list[User], off_before: set[str]
) -> None:
    """The negative control: without one of the triggers of products, the same check fails."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgname LIKE %s AND tgrelid = "
            "'inventory_product'::regclass",
            [f"pgtrigger_history_{verb}%"],
        )
        (trigger,) = cursor.fetchone()
        cursor.execute(f'ALTER TABLE inventory_product DISABLE TRIGGER "{trigger}"')
    try:
        with pytest.raises(AssertionError):
            check([("price", "save", 63, 3), ("delete_products", "all", 63)], actors, off_before)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE inventory_product ENABLE TRIGGER "{trigger}"')
