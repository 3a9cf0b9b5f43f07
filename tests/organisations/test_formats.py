"""Bank details: read strictly, sealed to their row, and never shown whole."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.kernel.errors import BadInput, Broken
from fund.organisations import formats

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER_KEY = "MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
DETAILS = formats.AccountDetails("Alder Park Friends", "309089", "00012345")


@pytest.mark.parametrize(("typed", "read"), [("30-90-89", "309089"), (" 30 90 89 ", "309089"), ("309089", "309089")])
def test_a_sort_code_is_read_as_people_write_it(typed, read):
    assert formats.sort_code_from_typed(typed) == read


@pytest.mark.parametrize("typed", ["", "30908", "3090899", "30--90-89", "３０９０８９", "30.90.89", "30-90-8a",
                                   "٣٠٩٠٨٩", "1e5", "0" * 5000])
def test_a_sort_code_that_is_none_gets_a_sentence(typed):
    with pytest.raises(BadInput) as error:
        formats.sort_code_from_typed(typed)
    assert error.value.field == "sort_code"


@pytest.mark.parametrize(("typed", "read"), [("12345678", "12345678"), ("1234 567", "01234567"),
                                             ("123456", "00123456")])
def test_an_account_number_is_read_as_people_write_it(typed, read):
    assert formats.account_number_from_typed(typed) == read


@pytest.mark.parametrize("typed", ["", "12345", "123456789", "１２３４５６７８", "-1234567", "12_34567", "12345.67"])
def test_an_account_number_that_is_none_gets_a_sentence(typed):
    with pytest.raises(BadInput):
        formats.account_number_from_typed(typed)


@pytest.mark.parametrize(("kind", "typed", "read"), [
    ("charity", "1234567", "GB-CHC-1234567"), ("charity", "sc 012345", "GB-SC-SC012345"),
    ("charity", "NIC100002", "GB-NIC-100002"), ("company", "1234567", "GB-COH-01234567"),
    ("cic", "SC123456", "GB-COH-SC123456"), ("society", "IP28755R", "GB-MPR-IP28755R"), ("charity", " ", None)])
def test_a_register_number_becomes_its_public_id(kind, typed, read):
    assert formats.org_id_from_typed(kind, typed) == read


@pytest.mark.parametrize(("kind", "typed"), [("charity", "12"), ("company", "ABCDEFGH"), ("informal", "1234567"),
                                             ("charity", "１２３４５６７")])
def test_a_number_from_no_register_gets_a_sentence(kind, typed):
    with pytest.raises(BadInput):
        formats.org_id_from_typed(kind, typed)


@given(st.text(min_size=2, max_size=140), st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_what_is_sealed_opens_for_its_row_alone(holder, sort_code):
    holder = holder.encode("utf-8", "ignore").decode()
    row, details = uuid.uuid4(), formats.AccountDetails(holder, sort_code, "12345678")
    sealed = formats.seal(details, row_id=row, field_key=KEY)
    assert formats.unseal(sealed, row_id=row, field_key=KEY) == details
    for wrong in ({"row_id": uuid.uuid4(), "field_key": KEY}, {"row_id": row, "field_key": OTHER_KEY}):
        with pytest.raises(Broken):
            formats.unseal(sealed, **wrong)
    with pytest.raises(Broken):
        formats.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), row_id=row, field_key=KEY)


def test_equal_accounts_have_equal_fingerprints_that_say_nothing_without_the_key():
    first = formats.fingerprint("309089", "00012345", field_key=KEY)
    assert first == formats.fingerprint("309089", "00012345", field_key=KEY)
    assert first != formats.fingerprint("309089", "00012346", field_key=KEY)
    assert first != formats.fingerprint("309089", "00012345", field_key=OTHER_KEY)


def test_the_numbers_show_in_no_repr():
    assert "309089" not in repr(DETAILS)
    assert "00012345" not in repr(DETAILS)


@pytest.mark.parametrize("key", ["", "c2hvcnQ=", "not base64 at all!"])
def test_a_key_of_another_length_stops_the_fund(key):
    with pytest.raises(Broken):
        formats.seal(DETAILS, row_id=uuid.uuid4(), field_key=key)


@pytest.mark.parametrize("name", ["", " ", "x", "..", "\x01ab", "a" * 201, "\u202e\x00ab"])
def test_a_name_that_is_none_gets_a_sentence(name):
    with pytest.raises(BadInput):
        formats.name_from_typed(name)
