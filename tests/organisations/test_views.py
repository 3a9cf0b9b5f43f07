"""The pages of a group, of a host, and of an officer who checks."""

import uuid

import pytest
import sqlalchemy as sa

from fund.kernel.actor import Actor, Capacity
from fund.organisations import actions, queries
from tests.make import organisations, people


@pytest.fixture
def volunteer(client):
    person = people.make_person(name="Sam Okoro")
    client.sign_in(person)
    return person


@pytest.fixture
def officer(client):
    person = people.make_staff(Capacity.OFFICER, name="Ola Officer")
    client.sign_in(person)
    return person


ACCOUNT = {"holder": "Alder Park Friends", "sort_code": "30-90-89", "account_number": "12345678"}


def test_a_group_is_made_and_stands_in_the_list(client, volunteer):
    assert "You act for no group yet" in client.get("/groups").text
    assert client.get("/groups/new").status_code == 200
    made = client.post_form("/groups/new", {"name": "Alder Park Friends", "kind": "charity",
                                            "register_number": "1234567"})
    assert made.status_code == 303
    page = client.get(made.location).text
    assert "GB-CHC-1234567" in page
    assert "None. You need none to apply." in page
    assert "Alder Park Friends" in client.get("/groups").text


@pytest.mark.parametrize(("sent", "sentence"), [
    ({"name": "", "kind": "charity"}, "Write the name of your group."),
    ({"name": "..", "kind": "charity"}, "at least two letters"),
    ({"name": "Friends", "kind": "gang"}, "Choose one of the answers."),
    ({"name": "Friends"}, "Choose what kind of group you are."),
    ({"name": "Friends", "kind": "charity", "register_number": "1e5"}, "does not look like one from that register"),
])
def test_a_group_that_needs_mending_is_a_422_with_everything_kept(client, volunteer, sent, sentence):
    answer = client.post_form("/groups/new", sent)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert sent["name"] in answer.text


def test_another_person_is_added_by_their_address_and_taken_out_again(client, volunteer):
    made = organisations.organisation(person_id=volunteer.id)
    here = f"/groups/{made.id}"
    assert client.post_form(here, {"email": "friend", "may_sign": "yes"}).status_code == 422
    assert client.post_form(here, {"email": "Friend@Example.org", "may_sign": "no"}).status_code == 303
    friend = people.queries.person_with_email("friend@example.org")
    assert queries.is_member(friend.id, made.id)
    assert "Somebody who has not said their name yet" in client.get(here).text
    assert client.post_form(f"{here}/people/{friend.id}/end").status_code == 303
    assert not queries.is_member(friend.id, made.id)
    assert client.post_form(f"{here}/people/{volunteer.id}/end").status_code == 409


def test_an_account_is_added_and_shown_by_four_digits_only(client, volunteer):
    made = organisations.organisation(person_id=volunteer.id)
    here = f"/groups/{made.id}/account"
    assert client.get(here).status_code == 200
    assert client.post_form(here, ACCOUNT).status_code == 303
    page = client.get(f"/groups/{made.id}").text
    assert "ending in 5678" in page
    assert "12345678" not in page
    assert "Not yet. An officer checks it" in page
    assert "12345678" not in client.get(here).text


@pytest.mark.parametrize(("field", "typed"), [
    ("sort_code", "30-90-8"), ("sort_code", "３０９０８９"), ("account_number", "12345"),
    ("account_number", "1" * 5000), ("holder", ""), ("holder", "a\x07b"), ("holder", "x" * 141)])
def test_bank_details_that_make_no_sense_are_a_422(client, volunteer, field, typed):
    made = organisations.organisation(person_id=volunteer.id)
    answer = client.post_form(f"/groups/{made.id}/account", {**ACCOUNT, field: typed})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert queries.accounts_of(made.id) == []


def test_a_host_is_found_by_name_asked_and_agrees(client, volunteer):
    group = organisations.organisation(person_id=volunteer.id)
    host, _account = organisations.payable(name="Elm 100% Hall")
    here = f"/groups/{group.id}/host"
    assert "Elm 100% Hall" in client.get(here).text
    assert "Elm 100% Hall" in client.get(here + "?name=100%25").text
    assert "Elm 100% Hall" not in client.get(here + "?name=_x").text
    assert client.post_form(here, {}).status_code == 422
    assert client.post_form(here, {"host": str(uuid.uuid4())}).status_code == 422
    assert client.post_form(here, {"host": str(host.id)}).status_code == 303
    assert "They have not answered yet" in client.get(f"/groups/{group.id}").text
    [asked] = queries.host_agreements_of(group.id)
    assert client.get(f"/hosting/{asked.id}").status_code == 404, "it is the host's to answer"
    signer = people.queries.person(queries.signers_of(host.id)[0])
    waiting = queries.waiting_for(signer.id, frozenset())
    assert [(item.endpoint, item.values) for item in waiting] == [("organisations.hosting", {"agreement_id": asked.id})]
    client.sign_in(signer)
    assert "Yes, we will receive it" in client.get(f"/hosting/{asked.id}").text
    assert client.post_form(f"/hosting/{asked.id}", {"do": "agree"}).location == f"/groups/{host.id}"
    assert queries.is_host_of(host.id, group.id)
    assert "agreed to this" in client.get(f"/hosting/{asked.id}").text
    client.post_form(f"/hosting/{asked.id}", {"do": "end"})
    assert not queries.is_host_of(host.id, group.id)


def test_a_group_of_others_is_not_there_on_any_page(client, volunteer):
    group, (host, _account) = organisations.organisation(), organisations.payable()
    asked = actions.ask_host(Actor(Capacity.APPLICANT, queries.signers_of(group.id)[0]), group.id, host.id)
    for page in (f"/groups/{group.id}", f"/groups/{group.id}/account", f"/groups/{group.id}/host",
                 f"/hosting/{asked.id}", f"/groups/{uuid.uuid4()}"):
        assert client.get(page).status_code == 404, page
    for page, sent in ((f"/groups/{group.id}", {"email": "a@example.org", "may_sign": "yes"}),
                       (f"/groups/{group.id}/account", ACCOUNT), (f"/groups/{group.id}/host", {"host": str(host.id)}),
                       (f"/groups/{group.id}/people/{volunteer.id}/end", {}),
                       (f"/hosting/{asked.id}", {"do": "agree"}), (f"/hosting/{asked.id}", {"do": "no"})):
        assert client.post_form(page, sent).status_code == 404, page


def test_who_may_only_write_cannot_sign_anything_away(client, volunteer):
    owner = people.make_person()
    group = organisations.organisation(person_id=owner.id)
    actions.add_member(Actor(Capacity.APPLICANT, owner.id), group.id, person_id=volunteer.id, may_sign=False)
    page = client.get(f"/groups/{group.id}").text
    assert "Add somebody" not in page
    for address, sent in ((f"/groups/{group.id}", {"email": "a@example.org", "may_sign": "yes"}),
                          (f"/groups/{group.id}/account", ACCOUNT)):
        assert client.post_form(address, sent).status_code == 403


def test_only_an_officer_checks(client, volunteer):
    group, _account = organisations.payable()
    for person in (volunteer, *(people.make_staff(capacity) for capacity in (
            Capacity.APPROVER, Capacity.AUTHORISER, Capacity.TRUSTEE))):
        client.sign_in(person)
        for address in ("/staff/organisations", f"/staff/organisations/{group.id}"):
            assert client.get(address).status_code == 403
        for address in (f"/staff/organisations/{group.id}", f"/staff/organisations/{group.id}/numbers"):
            assert client.post_form(address, {"kind": "identity"}).status_code == 403


def test_an_officer_checks_an_account_until_money_can_go_there(client, officer, session):
    group = organisations.organisation(kind="charity", name="Elm Street Hall")
    organisations.account(group.id, account_number="00012345")
    assert "Elm Street Hall" in client.get("/staff/organisations").text
    assert [item.button for item in queries.waiting_for(officer.id, frozenset({Capacity.OFFICER}))] == ["Check it"]
    here = f"/staff/organisations/{group.id}"
    page = client.get(here).text
    assert "No money can go here yet." in page
    assert "00012345" not in page
    assert "00012345" in client.post_form(f"{here}/numbers").text
    assert session.scalar(sa.text("SELECT count(*) FROM act WHERE verb = 'show_account'")) == 1
    for kind in ("identity", "sanctions", "bank_account"):
        sent = {"kind": kind, "passed": "yes", "source": "The register, today"}
        assert client.post_form(here, sent).status_code == 303
    page = client.get(here).text
    assert "Money can go into the account ending in 2345." in page
    assert "Ola Officer" in page
    assert "No account waits to be checked" in client.get("/staff/organisations").text


@pytest.mark.parametrize("sent", [
    {}, {"kind": "mood", "passed": "yes", "source": "papers"}, {"kind": "identity", "source": "papers"},
    {"kind": "identity", "passed": "yes", "source": " "}, {"kind": "identity", "passed": "yes", "source": "x" * 501},
    {"kind": "bank_account", "passed": "yes", "source": "papers"}])
def test_a_check_that_says_too_little_is_a_422(client, officer, sent):
    group = organisations.organisation()
    answer = client.post_form(f"/staff/organisations/{group.id}", sent)
    assert answer.status_code == 422
    assert "There is something to mend" in answer.text


def test_an_officer_who_is_tied_to_it_says_so_and_checks_it_no_more(client, officer):
    group, _account = organisations.payable()
    here = f"/staff/organisations/{group.id}"
    assert client.post_form(f"{here}/interest", {"next": here}).location == here
    page = client.get(here).text
    assert "You are tied to this organisation" in page
    assert "Write down a check" not in page
    answer = client.post_form(here, {"kind": "identity", "passed": "yes", "source": "papers"})
    assert answer.status_code == 409
    assert client.post_form(f"{here}/interest", {"next": "https://evil.example"}).location == "/"


def test_the_same_account_for_somebody_else_is_shown_to_the_officer(client, officer):
    organisations.payable(account_number="11112222", name="The first hall")
    second = organisations.organisation(name="A shell", kind="charity")
    organisations.account(second.id, account_number="11112222")
    page = client.get(f"/staff/organisations/{second.id}").text
    assert "Look twice" in page
    assert "The first hall" in page
    answer = client.post_form(f"/staff/organisations/{second.id}",
                              {"kind": "bank_account", "passed": "yes", "source": "papers"})
    assert answer.status_code == 409
    assert "already checked for another organisation" in answer.text
