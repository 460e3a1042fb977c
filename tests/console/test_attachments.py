"""Files on objects: who may add, get and remove them, what is taken, and what the record says."""

import io
import os
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from backoffice.accounts.models import Role, User
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.services import undo_change_set
from backoffice.console.attachments.services import clean_name
from backoffice.console.attachments.tidying import drop_removed_files
from backoffice.console.models import Attachment
from backoffice.exchange.models import ImportProfile
from inventory.models import Product
from tests.inventory.factories import make_product
from tests.personas import Persona, make_user

from .pages import page, said, signed_in

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.fixture
def product() -> Product:
    return make_product(name="Pot")


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


def of(obj: Any) -> str:
    return page("attachments", obj._meta.label_lower, obj.pk)


def send(client: Client, obj: Any, *files: tuple[str, bytes]) -> Any:
    sent = [SimpleUploadedFile(name, content) for name, content in files]
    return client.post(of(obj), {"files": sent})


def zipped(**entries: bytes) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "/"), content)
    return into.getvalue()


def fetched(client: Client, address: str) -> bytes:
    return bytes(client.get(address).getvalue())


def stored(settings: Any) -> list[Path]:
    return sorted((Path(settings.MEDIA_ROOT) / "attachments").glob("*"))


def test_a_file_is_attached_shown_and_fetched(
    client: Client, product: Product, catalogue_manager: User
) -> None:
    response = send(client, product, ("Data sheet.pdf", PDF), ("photo.PNG", PNG))
    assert (response.status_code, said(response)) == (302, ["2 files were attached."])
    shown = client.get(of(product)).text
    assert "Data sheet.pdf" in shown
    first, second = Attachment.objects.all()
    assert (first.user, first.size, first.content_type) == (
        catalogue_manager, len(PDF), "application/pdf",
    )  # fmt: skip
    assert f'<img src="{page("attachment_file", second.pk)}"' in shown
    assert f'<img src="{page("attachment_file", first.pk)}"' not in shown
    response = client.get(page("attachment_file", first.pk))
    assert response.getvalue() == PDF
    assert response["Content-Disposition"] == 'attachment; filename="Data sheet.pdf"'
    assert response["Content-Type"] == "application/pdf"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in response["Cache-Control"]


def test_the_form_has_a_tab_and_the_tab_a_part_of_its_own(client: Client, product: Product) -> None:
    form = client.get(page("inventory_product_change", product.pk)).text
    assert f'hx-get="{of(product)}"' in form
    part = client.get(of(product), headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "No files yet" in part
    answer = client.post(
        of(product), {"files": SimpleUploadedFile("x.exe", b"MZ")}, headers={"HX-Request": "true"}
    )
    assert "of no type that can be attached" in answer.text


def test_every_object_of_ours_has_them(administrator: User) -> None:
    profile = ImportProfile.objects.create(name="N", resource="products", user=administrator)
    role = Role.objects.create(name="Helpers")
    client = signed_in(administrator)
    for obj in (profile, role, administrator):
        send(client, obj, ("a.pdf", PDF))
        assert Attachment.objects.filter(reference=f"{obj._meta.label_lower}/{obj.pk}").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", PDF),
        ("a.jpeg", b"\xff\xd8\xff\xe0"),
        ("a.gif", b"GIF89a"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 "),
        ("a.csv", "sku;preis\nÄ;1\n".encode("cp1252")),
        ("a.txt", "Grüße".encode()),
        ("a.zip", zipped(**{"a.txt": b"x"})),
        ("a.xlsx", zipped(**{"[Content_Types].xml": b"x", "xl/workbook.xml": b"x"})),
        ("a.docx", zipped(**{"[Content_Types].xml": b"x", "word/document.xml": b"x"})),
        ("a.ods", zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet")),
        ("a.odt", zipped(mimetype=b"application/vnd.oasis.opendocument.text")),
    ],
)
def test_what_is_taken(client: Client, product: Product, name: str, content: bytes) -> None:
    assert said(send(client, product, (name, content))) == ["1 file was attached."]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("logo.png", SVG, "not what its name says"),
        ("logo.png", b"<!DOCTYPE html><script>alert(1)</script>", "not what its name says"),
        ("notes.txt", b"\xef\xbb\xbf  <HTML><script>", "not what its name says"),
        ("logo.svg", SVG, "of no type that can be attached"),
        ("page.html", b"<p>", "of no type that can be attached"),
        ("logo.png", PDF, "not what its name says"),
        ("photo.jpg", PNG, "not what its name says"),
        ("data.csv", b"a\0b", "not what its name says"),
        ("run.exe", b"MZ", "of no type that can be attached"),
        ("noending", PDF, "of no type that can be attached"),
        ("macros.xlsx", zipped(**{"[Content_Types].xml": b"x", "xl/workbook.xml": b"x",
                                  "xl/vbaProject.bin": b"x"}), "not what its name says"),
        ("book.xlsx", zipped(**{"a.txt": b"x"}), "not what its name says"),
        ("torn.zip", b"PK\x03\x04 and no more", "not what its name says"),
        ("empty.pdf", b"", "is empty"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why_and_leaves_nothing(
    client: Client, product: Product, settings: Any, name: str, content: bytes, why: str
) -> None:
    (told,) = said(send(client, product, (name, content)))
    assert why in told
    assert not Attachment.objects.exists()
    assert stored(settings) == []


def test_a_byte_too_many_is_refused(client: Client, product: Product, settings: Any) -> None:
    settings.ATTACHMENTS_MAX_BYTES = len(PDF)
    assert said(send(client, product, ("a.pdf", PDF))) == ["1 file was attached."]
    told = said(send(client, product, ("b.pdf", PDF + b"1")))
    assert "“b.pdf” is too large" in told[-1]
    assert Attachment.objects.count() == 1


def test_one_more_than_there_is_room_for_is_refused(
    client: Client, product: Product, settings: Any
) -> None:
    settings.ATTACHMENTS_MAX_PER_OBJECT = 1
    told = said(send(client, product, ("a.pdf", PDF), ("b.pdf", PDF + b"2")))
    assert told[0].startswith("“b.pdf” was not attached: there is room for 1 file.")
    assert "There is room for 1 file." in client.get(of(product)).text


def test_the_same_content_twice_is_said(client: Client, product: Product) -> None:
    send(client, product, ("a.pdf", PDF))
    told = said(send(client, product, ("b.pdf", PDF)))
    assert told[-1] == "“b.pdf” has the same content as “a.pdf”, which is attached already."
    assert said(send(client, make_product(), ("b.pdf", PDF)))[-1] == "1 file was attached."


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\x\\y.pdf", "y.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie: x=1.pdf"),
        ("invoice\u202efdp.exe.pdf", "invoicefdp.exe.pdf"),
        ("\0a.pdf", "a.pdf"),
        ("Größe “5”; x.pdf", "Größe “5”; x.pdf"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_names_are_made_plain(sent: str, kept: str) -> None:
    assert clean_name(sent) == kept


def test_no_name_leads_out_of_the_folder(client: Client, product: Product, settings: Any) -> None:
    send(client, product, ("../../../x.pdf", PDF), ("<img src=x onerror=alert(1)>.pdf", PDF + b"2"))
    assert len(stored(settings)) == 2
    assert all(path.name.isalnum() for path in stored(settings))
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.pdf"))
    assert "<img src=x" not in client.get(of(product)).text


def test_who_may_view_gets_it_and_who_may_change_adds_and_removes(
    client: Client, product: Product
) -> None:
    send(client, product, ("a.pdf", PDF))
    key = Attachment.objects.get().pk
    gets: set[Persona] = set()
    adds: set[Persona] = set()
    removes: set[Persona] = set()
    for persona in Persona:
        user = User.objects.filter(email__startswith=persona.value[0].lower()).first()
        other = signed_in(user or make_user(persona))
        for found, response in (
            (gets, other.get(page("attachment_file", key))),
            (adds, send(other, product, ("b.pdf", PDF + persona.name.encode()))),
            (removes, other.post(page("attachment_remove", Attachment.objects.latest("id").pk))),
        ):
            if response.status_code in (200, 302):
                found.add(persona)
                if response.streaming:
                    response.getvalue()  # which closes the file
            else:
                assert response.status_code == (404 if persona is Persona.OUTSIDER else 403)
        assert (other.get(of(product)).status_code == 404) == (persona is Persona.OUTSIDER)
    assert gets == {*Persona} - {Persona.OUTSIDER}
    assert adds == removes == {Persona.ADMINISTRATOR, Persona.CATALOGUE_MANAGER}


def test_a_right_that_is_lost_is_lost_for_files_too(
    client: Client, product: Product, catalogue_manager: User
) -> None:
    send(client, product, ("a.pdf", PDF))
    address = page("attachment_file", Attachment.objects.get().pk)
    assert fetched(client, address) == PDF
    catalogue_manager.groups.clear()
    assert client.get(address).status_code == 404


def test_of_what_is_no_object_of_ours_there_are_none(
    administrator: User, client: Client, product: Product
) -> None:
    root = signed_in(administrator)
    for address in ("nothing.here/1", "inventory.product/999999", "inventory.product/x", "x/1"):
        assert root.get(f"/admin/attachments/of/{address}/").status_code == 404
    send(client, product, ("a.pdf", PDF))
    key = Attachment.objects.get().pk
    product.delete()
    assert root.get(page("attachment_file", key)).status_code == 404
    assert root.get(page("attachment_file", key + 1)).status_code == 404


def test_removing_takes_a_post(client: Client, product: Product) -> None:
    send(client, product, ("a.pdf", PDF))
    address = page("attachment_remove", Attachment.objects.get().pk)
    assert client.get(address).status_code == 405
    assert Client(enforce_csrf_checks=True).post(address).status_code == 403
    assert Attachment.objects.exists()
    assert said(client.post(address))[-1] == "“a.pdf” was removed."
    assert not Attachment.objects.exists()


def test_the_record_tells_of_both_and_removing_can_be_undone(
    client: Client, product: Product, catalogue_manager: User
) -> None:
    send(client, product, ("a.pdf", PDF))
    added = ChangeSet.objects.latest("id")
    attachment = Attachment.objects.get()
    assert added.action == f"Files attached to {product}"
    timeline = client.get(page("inventory_product_timeline", product.pk)).text
    assert "Attachment “a.pdf” added" in timeline
    assert attachment.sha256 in timeline
    in_german = {"HX-Request": "true", "Accept-Language": "de"}
    part = client.post(page("attachment_remove", attachment.pk), headers=in_german).text
    removed = ChangeSet.objects.latest("id")
    assert removed.action == f"a.pdf removed from {product}"  # whatever its user reads
    assert page("audit_changeset_undo", removed.pk) in part
    timeline = client.get(page("inventory_product_timeline", product.pk)).text
    assert "Attachment “a.pdf” removed" in timeline
    assert page("audit_changeset_undo", removed.pk) in timeline
    other = make_product()
    assert "a.pdf" not in client.get(page("inventory_product_timeline", other.pk)).text

    undo_change_set(change_set=removed, reason="it is needed", actor=catalogue_manager)
    assert fetched(client, page("attachment_file", attachment.pk)) == PDF


def test_undo_brings_nothing_back_to_what_its_user_may_not_change(
    administrator: User, catalogue_manager: User
) -> None:
    role = Role.objects.create(name="Helpers")
    root = signed_in(administrator)
    send(root, role, ("a.pdf", PDF))
    root.post(page("attachment_remove", Attachment.objects.get().pk))
    removed = ChangeSet.objects.latest("id")
    with pytest.raises(Exception, match="othing"):
        undo_change_set(change_set=removed, reason="why not", actor=catalogue_manager)
    assert not Attachment.objects.exists()


def test_files_go_when_nothing_can_bring_them_back(
    client: Client, product: Product, settings: Any
) -> None:
    send(client, product, ("a.pdf", PDF), ("b.pdf", PDF + b"2"))
    client.post(page("attachment_remove", Attachment.objects.latest("id").pk))
    two_days_ago = (timezone.now() - timedelta(days=2)).timestamp()
    for path in stored(settings):
        os.utime(path, (two_days_ago, two_days_ago))
    assert drop_removed_files() == 0
    settings.ATTACHMENTS_KEEP_DAYS = 0
    assert drop_removed_files() == 1
    (left,) = stored(settings)
    assert Attachment.objects.get().file.name == f"attachments/{left.name}"
    # An upload that was rolled back left a file; one under way must not lose its own.
    orphan, fresh = left.with_name("orphan"), left.with_name("fresh")
    orphan.write_bytes(b"x")
    fresh.write_bytes(b"x")
    os.utime(orphan, (two_days_ago, two_days_ago))
    assert drop_removed_files() == 1
    assert stored(settings) == sorted([left, fresh])
