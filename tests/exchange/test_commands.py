"""The commands, as operators and programs drive them."""

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backoffice import progress
from backoffice.accounts.models import User
from backoffice.exchange.models import ImportJob
from inventory.models import Product

from .books import workbook
from .processes import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

ROWS = "sku,name,price\nA,Cup,1\nB,Mug,x\nC,Jug,-3\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "march.csv"
    path.write_text("sku,name,price\nA,Cup,1\nB,Mug,2\n")
    return path


def report(capsys: pytest.CaptureFixture[str], *arguments: Any, status: int = 0) -> dict[str, Any]:
    """What `import_file ... --json` prints, and with which status it ends."""
    if status:
        with pytest.raises(SystemExit) as ended:
            call_command("import_file", "products", *map(str, arguments), "--json")
        assert ended.value.code == status
    else:
        call_command("import_file", "products", *map(str, arguments), "--json")
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_without_apply_it_says_what_would_be_done(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(capsys, file)
    assert (found["state"], found["rows"], found["new"], found["change_set"]) == (
        "checked", 2, 2, None,
    )  # fmt: skip
    assert Product.objects.count() == 0
    call_command("import_file", "products", str(file))
    assert capsys.readouterr().out.startswith(
        "Checked, nothing written: 2 rows, 2 new, 0 changed, 0 unchanged, 0 invalid ("
    )


def test_apply_writes_and_tells_programs_everything(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(capsys, file, "--apply", "--reason", "March")
    job = ImportJob.objects.get()
    seconds = found.pop("seconds")
    assert seconds > 0
    assert found == {
        "job": job.pk,
        "state": "applied",
        "rows": 2,
        "new": 2,
        "changed": 0,
        "unchanged": 0,
        "invalid": 0,
        "conflicts": 0,
        "change_set": job.change_set_id,
        "errors_file": None,
    }
    assert job.change_set is not None
    assert (job.change_set.source, job.change_set.reason) == ("import", "March")
    assert Product.objects.count() == 2
    again = report(capsys, file, "--apply", "--reason", "March")
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 2)


def test_invalid_rows_are_named_and_end_it_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(ROWS)
    with pytest.raises(SystemExit) as ended:
        call_command("import_file", "products", str(path))
    assert ended.value.code == 1
    output = capsys.readouterr()
    assert "3 rows, 1 new, 0 changed, 0 unchanged, 2 invalid" in output.out
    assert output.err.splitlines() == [
        "  line 3, Price: “x” is not a number. Write digits and a decimal point, such as 12.50.",
        "  line 4, Price: “-3” is below 0, the least that there can be.",
    ]
    with pytest.raises(CommandError, match="2 rows are invalid, so nothing was written"):
        call_command("import_file", "products", str(path), "--apply", "--reason", "x")
    assert Product.objects.count() == 0


def test_more_than_twenty_invalid_rows_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("sku,name,price\n" + "".join(f"S{i},n,x\n" for i in range(25)))
    with pytest.raises(SystemExit):
        call_command("import_file", "products", str(path))
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (21, "  ... and 5 more invalid rows.")


def test_valid_rows_only_writes_them_and_names_the_file_of_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(ROWS)
    found = report(capsys, path, "--apply", "--reason", "x", "--valid-rows-only", status=1)
    assert (found["state"], found["new"], found["invalid"]) == ("applied", 1, 2)
    errors = Path(found["errors_file"]).read_text(encoding="utf-8-sig")
    assert [line.split(",")[0] for line in errors.splitlines()] == ["sku", "B", "C"]


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (b"sku,name,price\nA,a,1\n", ["--apply"], "An import needs a reason."),
        (b"", [], "The file is empty."),
        (b"sku\nA\xe4\n", [], "Line 2 is not UTF-8"),
        (b"title,amount\nA,1\n", [], "No column is mapped to “SKU”"),
        (b"title,amount\nA,1\n", ["--apply", "--reason", "x"], "No column is mapped to “SKU”"),
    ],
)
def test_refusals_are_said_to_people_and_to_programs(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    arguments: list[str],
    message: str,
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError) as refused:
        call_command("import_file", "products", str(path), *arguments)
    assert str(refused.value).startswith(message)
    capsys.readouterr()
    assert report(capsys, path, *arguments, status=1)["error"].startswith(message)
    assert Product.objects.count() == 0


def test_a_file_that_is_not_there_and_a_resource_that_is_not(tmp_path: Path, file: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.csv: No such file or directory\."):
        call_command("import_file", "products", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="Is a directory"):
        call_command("import_file", "products", str(tmp_path))
    no_resource = r"There is no resource “users”\. Choose one of: .*products"
    for command in ("import_file", "export_file"):
        with pytest.raises(CommandError, match=no_resource):
            call_command(command, "users", str(file))


def test_it_acts_as_somebody_with_their_rights(
    file: Path, capsys: pytest.CaptureFixture[str], catalogue_manager: User, warehouse: User
) -> None:
    with pytest.raises(CommandError, match=r"There is no user nobody@stockbook\.test\."):
        call_command("import_file", "products", str(file), "--user", "nobody@stockbook.test")
    found = report(
        capsys, file, "--apply", "--reason", "x", "--user", warehouse.email, "--valid-rows-only",
        status=1,
    )  # fmt: skip
    assert (found["new"], found["invalid"], Product.objects.count()) == (0, 2, 0)
    report(capsys, file, "--apply", "--reason", "x", "--user", "CARLA@stockbook.test")
    job = ImportJob.objects.first()
    assert job is not None
    assert job.user == catalogue_manager
    assert {product.created_by for product in Product.objects.all()} == {catalogue_manager}


def test_a_file_in_another_encoding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("sku;name;price\nA;Täßchen;1\n".encode("cp1252"))
    report(capsys, path, "--apply", "--reason", "x", "--encoding", "cp1252")
    assert Product.objects.get().name == "Täßchen"


# As a process of its own


@pytest.mark.django_db(transaction=True)
def test_as_a_process_it_prints_one_object_and_ends_with_its_status(
    tmp_path: Path, file: Path
) -> None:
    applied = ["import_file", "products", str(file), "--apply", "--reason", "x", "--json"]
    status, out, _err = run(*applied)
    assert (status, json.loads(out)["new"], Product.objects.count()) == (0, 2, 2)
    job = ImportJob.objects.get()
    assert job.change_set is not None
    assert job.change_set.actor_name.endswith("(system)")
    file.write_text(ROWS)
    status, out, err = run(*applied)
    assert (status, err) == (1, "")
    assert json.loads(out)["error"].startswith("2 rows are invalid")
    status, out, err = run("import_file", "products", str(tmp_path / "none.csv"))
    assert (status, out) == (1, "")
    assert err == f"CommandError: {tmp_path / 'none.csv'}: No such file or directory.\n"


def test_how_a_file_is_read_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "march.txt"
    path.write_text("A^Cup^1.250\nB^Mug^3\n")
    options = ["--delimiter", "^", "--decimal-sign", ",", "--date-order", "dmy"]
    titled = path.with_name("titled.txt")
    titled.write_text("from^March^x\nsku^name^price\nA^Cup^1.250\nB^Mug^3\n")
    found = report(capsys, titled, *options, "--header-line", "2", "--apply", "--reason", "x")
    assert (found["new"], Product.objects.get(sku="A").price) == (2, 1250)
    with pytest.raises(CommandError, match="The file has: Column 1, Column 2, Column 3"):
        call_command("import_file", "products", str(path), *options, "--no-header")
    with pytest.raises(CommandError, match="cannot be a delimiter"):
        call_command("import_file", "products", str(path), "--delimiter", "ab")


def test_a_sheet_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = ["sku", "name", "price"]
    path = tmp_path / "prices.xlsx"
    path.write_bytes(workbook(March=[header, ["A", "a", 1]], April=[header, ["B", "b", 2.5]]))
    assert report(capsys, path, "--sheet", "April", "--apply", "--reason", "x")["new"] == 1
    assert Product.objects.get().sku == "B"
    # Another process read it meanwhile; what is kept is the file as it came.
    with ImportJob.objects.get().file.open("rb") as kept:
        assert kept.read() == path.read_bytes()
    with pytest.raises(CommandError, match="Choose one of: March, April"):
        call_command("import_file", "products", str(path), "--sheet", "May")


def test_at_a_terminal_a_line_says_how_far_it_is(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_file", "products", str(file))
    assert capsys.readouterr().err == ""  # neither in a pipe nor in a log

    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(progress, "TICK", 0.001)
    monkeypatch.setattr(sys, "stderr", terminal)
    call_command("import_file", "products", str(file))
    steps = [" ".join(line.split()) for line in terminal.getvalue().split("\r")]
    assert "Comparing with what is there" in steps
    assert steps[-2:] == ["", ""]  # the line is gone when it is done
    assert capsys.readouterr().out.startswith("Checked, nothing written: 2 rows")
