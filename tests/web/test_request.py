"""Bad input of every kind gets an answer of 400 to 422 with a sentence, on a real form, and never a 500."""

import json

import pytest

BOUNDARY = "xxBOUNDARYxx"
#: Browsers send these as they are; nothing here may become a 500, and nothing may be stored as something else.
NASTY = ["\x00", "a\x00b", "\x07bell", "\ud800", "\udfff", "\u202eevil", "a\u200bb", "\ufeff", "e" + "\u0301" * 500,
         "{{ 1234 * 5678 }}", "${1234*5678}", "<script>alert(1)</script>", "'; DROP TABLE act; --", "=1+1",
         "\r\nSet-Cookie: x=1", "%00", "\uffff", "🏳️‍🌈" * 300, "A" * 100_000]


def answered(response) -> None:
    """A helpful answer, and not one of ours gone wrong."""
    assert response.status_code in {200, 303, 400, 413, 422}, response.status
    assert "7006652" not in response.text
    assert "<script>alert" not in response.text


FIELDS = ["name", "story", "note", "email", "amount", "interest", "size", "starts_on", "helped_by", "agreed"]


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_in_every_field_is_answered(visitor, text):
    for sent in (text.encode("utf-8", "surrogatepass").decode("latin-1"), text.encode("utf-8", "replace").decode()):
        answered(visitor.post_form("/sample/form", dict.fromkeys(FIELDS, sent)))


@pytest.mark.parametrize("query", ["postcode=%00", "%00=1", "a=%ff%fe", "a=%ed%a0%80", "a=" + "b" * 5000, "&" * 3000])
def test_nasty_addresses_are_answered(visitor, query):
    assert visitor.get(f"/?{query}").status_code in {200, 400}


@pytest.mark.parametrize("path", ["/%00", "/sample/number/" + "9" * 5000, "/sample/number/" + "9" * 19,
                                  "/sample/number/-1", "/sample/number/%EF%BC%91", "/..%2f..%2fetc/passwd", "/%ff"])
def test_paths_that_are_no_page_are_no_error_of_ours(visitor, path):
    assert visitor.get(path).status_code in {400, 404}


def test_nul_in_a_form_is_400_before_any_view_sees_it(visitor):
    answer = visitor.post_form("/sample/form", {"name": "a\x00b"})
    assert answer.status_code == 400
    assert "We could not read that" in answer.text


def test_fifty_thousand_fields_are_413(visitor):
    answer = visitor.post("/sample/form", data="&".join(f"a{n}=" for n in range(50_000)),
                          content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413


def test_a_field_given_twice_counts_once(visitor):
    answer = visitor.post_form("/sample/form", {"name": ["One", "Two"], "csrf": "x"})
    assert answer.status_code == 422
    assert 'value="One"' in answer.text


@pytest.mark.parametrize("body", [
    b"", b"--", b"--xxBOUNDARYxx", b"--xxBOUNDARYxx\r\n", b"--xxBOUNDARYxx\r\nno header\r\n\r\nx\r\n",
    b"--xxBOUNDARYxx\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nnever ended",
    b"--xxBOUNDARYxx\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xxBOUNDARYxx--\r\n",
    b"\x00" * 500, b"--other\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--other--",
])
def test_a_broken_multipart_is_400_and_not_an_empty_form(visitor, body):
    answer = visitor.post("/sample/form", data=body, content_type=f"multipart/form-data; boundary={BOUNDARY}")
    assert answer.status_code == 400


def test_a_multipart_without_a_boundary_is_400(visitor):
    assert visitor.post("/sample/form", data=b"x", content_type="multipart/form-data").status_code == 400


def test_too_many_parts_and_too_many_bytes_are_413(visitor):
    part = b'--xxBOUNDARYxx\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    many = visitor.post("/sample/form", data=part * 1001 + b"--xxBOUNDARYxx--\r\n", content_type=kind)
    assert many.status_code == 413
    assert visitor.post("/sample/form", data=b"name=" + b"a" * 2_000_000,
                        content_type="application/x-www-form-urlencoded").status_code == 413
    assert visitor.post("/sample/form", data=b"x" * (13 * 1024 * 1024), content_type=kind).status_code == 413


def _json(visitor, body, **headers):
    token = visitor.get("/sample/form").text.split('name="csrf_token" type="hidden" value="')[1].split('"')[0]
    return visitor.post("/sample/json", data=body, content_type="application/json",
                        headers={"X-CSRFToken": token, **headers})


def test_json_of_ours_is_read(visitor):
    assert _json(visitor, json.dumps({"a": "ŵ", "b": 2})).json == {"keys": 2}


@pytest.mark.parametrize("body", [
    "[" * 100_000, '{"a":' * 50_000, "", "{", "nan", '{"a": "\\ud800"}', '{"a": "\\u0000"}', '{"\\u0000": 1}',
    "9" * 5000, b"\xff\xfe", '{"a": 1e999999}',
])
def test_json_that_is_none_is_400(visitor, body):
    answer = _json(visitor, body)
    assert answer.status_code in {400, 415} or (body == '{"a": 1e999999}' and answer.status_code == 200)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:80", "", "a b", "[::1"])
def test_a_foreign_host_is_400(visitor, host):
    answer = visitor.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.text


def test_a_forwarded_host_is_not_believed(visitor):
    answer = visitor.get("/sample/mine", headers={"X-Forwarded-Host": "evil.example"})
    assert answer.location.startswith("/sign-in")


def test_a_method_of_nobodys_is_405_or_501(visitor):
    assert visitor.open("/sample/form", method="BREW").status_code in {400, 405}
