"""`export_file`, as operators and programs drive it."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from backoffice.accounts.models import User
from backoffice.exchange.models import ExportTemplate
from tests.inventory.factories import make_category, make_product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


def test_an_export_goes_back_in_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_product(sku="A", name="=Cup", category=make_category("Home > Kitchen"))
    make_product(sku="B", name="Mug", brand="Acme", price=20)
    path = tmp_path / "out.csv"
    call_command("export_file", "products", str(path))
    assert capsys.readouterr().out == f"2 rows written to {path}.\n"
    call_command("import_file", "products", str(path), "--json")
    assert json.loads(capsys.readouterr().out)["unchanged"] == 2


def test_filters_narrow_an_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_product(sku="A", brand="Acme", price=5)
    make_product(sku="B", brand="Acme", price=15)
    make_product(sku="C", brand="Other", price=15)
    path = tmp_path / "out.csv"
    call_command(
        "export_file", "products", str(path), "--filter", "brand=Acme", "--filter",
        "price__gte=10", "--json",
    )  # fmt: skip
    assert json.loads(capsys.readouterr().out) == {"rows": 1}
    assert [line.split(",")[0] for line in path.read_text(encoding="utf-8-sig").splitlines()] == [
        "sku", "B",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("brand", "--filter brand: write it as KEY=VALUE."),
        ("nothing=1", "--filter: Cannot resolve keyword 'nothing' into field."),
        ("price=cheap", "--filter: “cheap” value must be a decimal number."),
    ],
)
def test_filters_that_cannot_be_are_refused(tmp_path: Path, given: str, message: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("export_file", "products", str(tmp_path / "out.csv"), "--filter", given)
    assert message in str(refused.value)


def exported(path: Path, *options: str) -> bytes:
    call_command("export_file", "products", str(path), *options, stdout=StringIO())
    return path.read_bytes()


def test_a_file_is_written_as_its_name_ends(tmp_path: Path) -> None:
    make_product(sku="A", name="Cup", price=2)
    lines = exported(tmp_path / "p.jsonl").decode().splitlines()
    assert [json.loads(line)["price"] for line in lines] == [2]
    assert exported(tmp_path / "p.xlsx").startswith(b"PK")
    assert exported(tmp_path / "p").startswith(b"\xef\xbb\xbfsku,")
    assert exported(tmp_path / "p.csv", "--format", "xlsx").startswith(b"PK")


def test_columns_are_chosen_and_ordered(tmp_path: Path) -> None:
    make_product(sku="A", name="Cup", price=2)
    content = exported(tmp_path / "p.csv", "--columns", "price, sku")
    assert content == b"\xef\xbb\xbfprice,sku\n2,A\n"
    with pytest.raises(CommandError, match=r"there is no colour\. Choose of: sku, name"):
        exported(tmp_path / "p.csv", "--columns", "colour,sku")


def test_a_template_chooses_columns_and_format(tmp_path: Path, catalogue_manager: User) -> None:
    make_product(sku="A", name="Cup", price=2)
    ExportTemplate.objects.create(
        name="Prices", resource="products", user=catalogue_manager, format="jsonl",
        columns=["sku", "colour", "price"],
    )  # fmt: skip
    assert exported(tmp_path / "p", "--template", "prices") == b'{"sku":"A","price":2}\n'
    with pytest.raises(CommandError, match=r"no template “other”\. There is: Prices\."):
        exported(tmp_path / "p", "--template", "other")


def test_an_export_with_somebodys_rights_has_their_columns(
    tmp_path: Path, catalogue_manager: User, warehouse: User
) -> None:
    make_product(cost=3)
    role = catalogue_manager.groups.get()
    role.permissions.remove(role.permissions.get(codename="view_cost"))
    path = tmp_path / "p.csv"
    assert b",cost," in exported(path)
    assert b",cost," not in exported(path, "--user", catalogue_manager.email)
    with pytest.raises(CommandError, match="there is no cost"):
        exported(path, "--user", catalogue_manager.email, "--columns", "sku,cost")
    with pytest.raises(CommandError, match="may not export products"):
        exported(path, "--user", warehouse.email)
    with pytest.raises(CommandError, match=r"There is no user nobody@x\.test"):
        exported(path, "--user", "nobody@x.test")


def test_a_file_to_fill_in_is_written(tmp_path: Path) -> None:
    make_product(sku="A")
    content = exported(tmp_path / "p.csv", "--template-file").decode("utf-8-sig")
    assert [line.partition(",")[0] for line in content.splitlines()] == ["sku", "EXAMPLE-1"]
    with pytest.raises(CommandError, match="A file to fill in is one of: csv, xlsx"):
        exported(tmp_path / "p.jsonl", "--template-file")
