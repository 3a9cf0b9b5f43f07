"""Files in the real embedded store: kept once, given back whole or not at all."""

import hashlib
import io
import socket

import pytest
from PIL import Image

from fund.documents import actions, queries, storage
from fund.kernel.actor import SYSTEM
from fund.kernel.errors import BadInput, Broken, Forbidden, NotFound, OutsideDown
from fund.settings import settings, use
from tests.make.documents import GOOD, make_image, make_pdf
from tests.make.people import actor_for, make_person


def keep(person, name="plan.pdf", data=None):
    return actions.keep_file(actor_for(person), name=name, content_type="text/html",
                             data=GOOD[name] if data is None else data)


@pytest.mark.parametrize("name", GOOD)
def test_a_file_is_kept_and_given_back_to_whoever_gave_it(store, client, name):
    person = make_person()
    file_id = keep(person, name)
    row, data = queries.file_of(person.id, file_id), queries.open_file(file_id)
    assert (len(data), hashlib.sha256(data).digest()) == (row.size_bytes, row.sha256)
    assert data == GOOD[name] or row.content_type.startswith("image/")
    client.sign_in(person)
    answer = client.get(f"/files/{file_id}")
    assert answer.data == data
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{name}"')
    assert answer.headers["Content-Type"] == row.content_type != "text/html"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_nobody_else_gets_a_file_not_even_to_hear_that_it_is_there(store, client):
    file_id = keep(make_person())
    other = make_person()
    assert client.get(f"/files/{file_id}").status_code == 302
    client.sign_in(other)
    assert client.get(f"/files/{file_id}").status_code == 404
    assert client.get("/files/00000000-0000-0000-0000-000000000000").status_code == 404
    with pytest.raises(NotFound):
        queries.file_of(other.id, file_id)


def test_a_name_with_everything_in_it_comes_back_as_a_name_only(store, client):
    person = make_person()
    client.sign_in(person)
    name = '../../g\u202eŵ"yl\r\nSet-Cookie: a=b;%41.pdf'
    file_id = keep(person, name, make_pdf())
    answer = client.get(f"/files/{file_id}")
    assert "Set-Cookie" not in answer.headers or "a=b" not in answer.headers["Set-Cookie"]
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"g__ylSet-Cookie_ a=b;_41.pdf\"; "
        "filename*=UTF-8''g%C5%B5_ylSet-Cookie_%20a%3Db%3B%2541.pdf")


@pytest.mark.parametrize(("name", "data"), [
    ("a.pdf", b""), ("a.exe", b"MZ"), ("photo.png", make_pdf()), ("a.pdf", make_pdf(b"/JavaScript")),
    ("photo.png", b"\x89PNG\r\n\x1a\n"), ("a.svg", b"<svg/>"), ("noname", b"x")])
def test_a_file_that_is_refused_leaves_nothing_and_says_why(store, sql, name, data):
    with pytest.raises(BadInput) as refused:
        keep(make_person(), name, data)
    assert refused.value.field == "file"
    assert str(refused.value).endswith(".")
    assert sql("SELECT count(*) FROM stored_file").scalar() == 0


def test_the_system_gives_no_files(store):
    with pytest.raises(Forbidden):
        actions.keep_file(SYSTEM, name="a.pdf", content_type="", data=make_pdf())


def test_an_object_is_written_once_and_never_over(store):
    storage.put("once", b"first", content_type="text/plain")
    storage.put("once", b"first", content_type="text/plain")
    with pytest.raises(Broken):
        storage.put("once", b"second", content_type="text/plain")
    assert storage.read("once") == b"first"
    storage.remove("once")
    storage.remove("once")
    with pytest.raises(Broken):
        storage.read("once")


def test_other_bytes_in_the_store_go_to_nobody(store, client):
    person = make_person()
    client.sign_in(person)
    file_id = keep(person)
    storage.remove(str(file_id))
    storage.put(str(file_id), b"%PDF-evil", content_type="application/pdf")
    with pytest.raises(Broken):
        queries.open_file(file_id)
    answer = client.get(f"/files/{file_id}")
    assert answer.status_code == 500
    assert b"evil" not in answer.data
    storage.remove(str(file_id))
    assert client.get(f"/files/{file_id}").status_code == 500


def test_a_store_that_is_away_refuses_at_once_and_keeps_no_row(store, client, sql):
    person = make_person()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    use(settings().model_copy(update={"s3_endpoint_url": address}))
    with pytest.raises(OutsideDown):
        keep(person)
    use(settings().model_copy(update={"s3_endpoint_url": ""}))
    with pytest.raises(OutsideDown):
        keep(person)


def test_a_store_that_refuses_our_key_is_outside(store):
    use(settings().model_copy(update={"s3_access_key": "another"}))
    with pytest.raises(OutsideDown):
        keep(make_person())


def test_the_application_cannot_change_what_a_row_says_of_a_file(store, sql):
    keep(make_person())
    with pytest.raises(Exception, match="permission denied"):
        sql("UPDATE stored_file SET name = 'other'")


def test_a_photo_that_is_kept_is_the_photo_without_its_place(store):
    file_id = keep(make_person(), "photo.jpg", make_image("JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"))
    with Image.open(io.BytesIO(queries.open_file(file_id))) as seen:
        assert not seen.getexif()
