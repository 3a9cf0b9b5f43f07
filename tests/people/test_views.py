"""Signing in as people meet it: a letter, a code, a link, the way back, and nothing for whoever tries to abuse it."""

import html
import re
import threading
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from fund.app import create_app
from fund.db import db
from fund.embedded import postgres
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Capacity
from fund.kernel.errors import Forbidden, NotFound
from fund.kernel.ids import new_id
from fund.people import actions, queries
from fund.settings import Settings
from fund.web.limits import limiter
from tests.make.people import make_person, make_staff

ANA = "ana@example.org"
LINK = re.compile(r"http://127\.0\.0\.1:8000(/sign-in/link/\S+)")


def ask_for_letter(client, email=ANA, headers=None, **more):
    answer = client.post_form("/sign-in", {"email": email, "next": "/profile", **more}, headers=headers)
    assert answer.status_code == 303, answer.text
    assert "Retry-After" not in answer.headers
    assert answer.location == "/sign-in/check"
    return answer


def link_of(letter) -> str:
    return LINK.search(letter.get_content())[1]


def code_of(letter) -> str:
    return re.search(r"^    ([0-9]{6})\s*$", letter.get_content(), re.M)[1]


def is_signed_in(client) -> bool:
    return client.get("/profile").status_code == 200


def test_a_page_for_people_who_are_signed_in_leads_through_the_letter_and_back(client, letters):
    turned_away = client.get("/profile?a=b")
    assert turned_away.location == "/sign-in?next=/profile%3Fa%3Db"
    page = client.get(turned_away.location)
    assert 'value="/profile?a=b"' in page.text
    ask_for_letter(client, next="/profile?a=b")
    assert ANA in client.get("/sign-in/check").text
    code = code_of(letters.newest_to(ANA))
    answer = client.post_form("/sign-in/check", {"code": f" {code[:3]} {code[3:]} "})
    assert (answer.status_code, answer.location) == (303, "/profile?a=b")
    assert is_signed_in(client)
    assert client.get("/sign-in?next=/profile").location == "/profile"


def test_opening_the_link_changes_nothing_pressing_its_button_works_once_on_any_device(app, client, letters):
    ask_for_letter(client)
    link = link_of(letters.newest_to(ANA))
    phone = app.test_client()
    for _scanner in range(3):
        page = phone.get(link)
        assert page.status_code == 200
        assert ANA in page.text
        assert phone.head(link).status_code == 200
    assert not is_signed_in(phone)
    answer = phone.post_form(link)
    assert (answer.status_code, answer.location) == (303, "/profile")
    assert is_signed_in(phone)
    assert not is_signed_in(client)
    for again in (phone.post_form(link), client.post_form(link), client.get(link)):
        assert again.status_code == 410
        assert "/sign-in?next=/profile" in again.text
    assert client.get("/sign-in/check").status_code == 410


def test_the_link_without_its_token_or_from_another_site_signs_nobody_in(app, client, letters):
    ask_for_letter(client)
    link = link_of(letters.newest_to(ANA))
    assert client.post(link).status_code == 400
    assert client.post_form(link, headers={"Origin": "https://evil.example"}).status_code == 403
    assert not is_signed_in(client)


@pytest.mark.parametrize("path", [
    "/sign-in/link/nonsense", "/sign-in/link/" + "x" * 4000, "/sign-in/link/%F0%9F%98%80"])
def test_a_link_that_never_was_says_how_to_get_one(client, path):
    assert client.get(path).status_code == 410
    assert client.post_form(path).status_code == 410


def test_a_link_and_a_code_are_over_after_fifteen_minutes(client, letters):
    ask_for_letter(client)
    letter = letters.newest_to(ANA)
    with time_machine.travel(clock.now() + timedelta(minutes=15, seconds=1)):
        assert client.get(link_of(letter)).status_code == 410
        assert client.post_form(link_of(letter)).status_code == 410
        assert client.post_form("/sign-in/check", {"code": code_of(letter)}).status_code == 410
        assert not is_signed_in(client)
    with time_machine.travel(clock.now() + timedelta(minutes=14)):
        assert client.post_form(link_of(letter)).status_code == 303


def test_one_letter_used_up_uses_up_every_other_one_to_that_address(app, client, letters):
    ask_for_letter(client)
    first = link_of(letters.newest_to(ANA))
    ask_for_letter(client)
    second = link_of(letters.newest_to(ANA))
    assert first != second
    assert client.post_form(first).status_code == 303
    assert app.test_client().post_form(second).status_code == 410


def test_the_code_works_only_on_the_device_where_it_was_asked_for(app, client, letters):
    ask_for_letter(client)
    code = code_of(letters.newest_to(ANA))
    thief = app.test_client()
    assert thief.post_form("/sign-in/check", {"code": code}).location == "/sign-in"
    ask_for_letter(thief, email="thief@example.org")
    assert thief.post_form("/sign-in/check", {"code": code}).location == "/sign-in/check"
    assert not is_signed_in(thief)
    assert client.post_form("/sign-in/check", {"code": code}).location == "/profile"


def test_after_five_wrong_codes_even_the_right_one_is_refused_and_the_link_still_works(client, letters, sql):
    ask_for_letter(client)
    letter = letters.newest_to(ANA)
    right = code_of(letter)
    wrong = "000000" if right != "000000" else "111111"
    for left in ("4 more tries", "3 more tries", "2 more tries", "one more try"):
        answer = client.post_form("/sign-in/check", {"code": wrong})
        assert (answer.status_code, answer.location) == (303, "/sign-in/check")
        assert left in client.get("/sign-in/check").text
    assert client.post_form("/sign-in/check", {"code": wrong}).status_code == 303
    for answer in (client.get("/sign-in/check"), client.post_form("/sign-in/check", {"code": right})):
        assert answer.status_code == 410
        assert "Send me a new link" in answer.text
    assert sql("SELECT code_tries FROM sign_in_request").scalar() == 5
    assert client.post_form(link_of(letter)).status_code == 303


def test_codes_for_one_address_are_not_looked_at_after_fifty_tries_in_a_day(client, letters, sql):
    for _letter in range(10):
        ask_for_letter(client)
    sql("UPDATE sign_in_request SET code_tries = 5")
    limiter.reset()
    ask_for_letter(client)
    answer = client.post_form("/sign-in/check", {"code": code_of(letters.newest_to(ANA))})
    assert answer.status_code == 410
    ask_for_letter(client, email="other@example.org")
    code = code_of(letters.newest_to("other@example.org"))
    assert client.post_form("/sign-in/check", {"code": code}).status_code == 303


@pytest.mark.parametrize("typed", [
    "", "12345", "1234567", "abcdef", "１２３４５６", "12345x", "1' OR 1", "\u202e123456"])
def test_what_is_no_code_uses_up_no_try(client, letters, sql, typed):
    ask_for_letter(client)
    answer = client.post_form("/sign-in/check", {"code": typed})
    assert answer.status_code == 422
    assert sql("SELECT code_tries FROM sign_in_request").scalar() == 0


def test_known_and_unknown_addresses_get_the_same_answer_for_the_same_work(app, client, letters):
    make_staff(Capacity.OFFICER, email="known@example.org")
    client.get("/sign-in")
    seen = []
    for address in ("known@example.org", "xnown@example.org"):
        client.get("/sign-in")
        statements = []

        def note(_connection, _cursor, statement, *_more, statements=statements):
            statements.append(re.sub(r"sa_savepoint_\d+", "…", statement))

        sa.event.listen(db.engine, "before_cursor_execute", note)
        answer = ask_for_letter(client, email=address)
        sa.event.remove(db.engine, "before_cursor_execute", note)
        after = client.get("/sign-in/check").text.replace(address, "…")
        page = re.sub(r'value="[^"]{40,}"', "", after)
        seen.append((answer.status_code, answer.location, answer.text, [*answer.headers.keys()], statements, page))
    assert seen[0] == seen[1]
    assert queries.person_with_email("xnown@example.org") is None


@pytest.mark.parametrize("typed", [
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
    "javascript:alert(1)",
    "/%5cevil", "", " /", "/\u200b/evil.example", "/ok\r\nSet-Cookie: a=b",
    "/sign-in", "/sign-in/check", "/sign-out", "/demo?x=1",
    "/" + "a" * 3000, "///evil.example", "/\t/evil.example"])
def test_the_way_back_leads_only_to_pages_of_ours(app, client, letters, typed):
    client.check = False  # the address in a redirect's own text leads nowhere here, and that is the point
    ask_for_letter(client, next=typed)
    answer = client.post_form(link_of(letters.newest_to(ANA)))
    assert answer.status_code == 303
    assert re.fullmatch(r"/(%5cevil|waiting)?", answer.location, re.IGNORECASE), answer.location
    assert "evil" not in client.get("/sign-in", query_string={"next": typed}).location.replace("/%5cevil", "")


@pytest.mark.parametrize("typed", [
    "ana", "ana@", "@example.org", "ana@example", "a@b.org,c@d.org", "ana@example.org\nBcc: all@example.org",
    "a b@example.org", "ana@example.org\x00", "ana@exa\u202emple.org", "x" * 300 + "@example.org", "ana@127.0.0.1",
    '"a b"@example.org', "<ana@example.org>",
    "ana@localhost", "ána@example.org"])
def test_what_is_no_address_gets_a_sentence_and_no_letter(client, letters, sql, typed):
    answer = client.post_form("/sign-in", {"email": typed})
    assert answer.status_code in {400, 422}
    assert sql("SELECT count(*) FROM message").scalar() == 0
    assert sql("SELECT count(*) FROM sign_in_request").scalar() == 0


def test_no_host_header_ever_reaches_a_letter(client, letters):
    assert client.get("/sign-in", headers={"Host": "evil.example"}).status_code == 400
    refused = client.post_form("/sign-in", {"email": ANA}, headers={"Host": "evil.example"})
    assert refused.status_code == 400
    assert letters.post() == []
    ask_for_letter(client)
    again = client.post_form("/sign-in", {"email": ANA}, headers={"X-Forwarded-Host": "evil.example"})
    assert again.status_code == 303
    for _address, letter in letters.post():
        assert "evil" not in letter.as_string()
        assert link_of(letter)


def test_what_was_being_sent_comes_back_on_the_page_also_on_another_device(app, client, letters):
    client.sign_in(make_person(email=ANA, name="Ana"))
    assert client.get("/profile").status_code == 200
    with client.session_transaction() as cookie:
        actions.end_session(queries.signed_in(cookie["_user_id"]).session_id)
    kept = client.post_form("/profile", {"name": "Ana <b>Jones</b>", "language": "cy"})
    assert kept.status_code == 403
    assert "Ana &lt;b&gt;Jones" in kept.text
    field = html.unescape(re.search(r'name="kept" value="([^"]*)"', kept.text)[1])
    ask_for_letter(client, kept=field, next="/profile")
    assert "What you wrote is kept" in client.get("/sign-in/check").text
    phone = app.test_client()
    answer = phone.post_form(link_of(letters.newest_to(ANA)))
    assert answer.location == "/profile"
    page = phone.get("/profile")
    assert "what you wrote is back" in page.text
    assert 'value="Ana &lt;b&gt;Jones&lt;/b&gt;"' in page.text
    assert re.search(r'value="cy"[^>]*checked', page.text)
    assert "is back" not in phone.get("/about").text
    assert phone.post_form("/profile", {"name": "Ana Jones", "language": "en"}).status_code == 303
    assert "is back" not in phone.get("/profile").text


def test_a_form_whose_session_is_long_gone_keeps_its_words_too(app, client):
    stale = client.post("/profile", data={"name": "Ana", "language": "cy", "csrf_token": "stale"},
                        headers={"Sec-Fetch-Site": "same-origin"})
    assert stale.status_code == 403
    assert 'name="kept"' in stale.text


@pytest.mark.parametrize("kept", [
    "nonsense", "{", "[]", "null", "{}", '{"path": 1, "fields": []}',
    '{"path": "/profile", "fields": [["name", "a\\u0000b"]]}',
    '{"path": "//evil", "fields": [["a", "b"]]}', '{"path": "/profile", "fields": [["name", {"a": 1}]]}',
    '{"path": "/profile", "fields": [["name", "\\ud800"]]}', "[" * 5000, '{"path": "/profile", "fields": "ab"}'])
def test_kept_words_that_make_no_sense_are_left_out_and_the_letter_goes(client, letters, sql, kept):
    ask_for_letter(client, kept=kept)
    assert sql("SELECT words FROM sign_in_request").scalar() == {}
    assert client.post_form(link_of(letters.newest_to(ANA))).status_code == 303


def test_words_kept_for_somebody_are_shown_to_nobody_before_the_letter_is_claimed(client, letters):
    ask_for_letter(client, kept='{"path": "/profile", "fields": [["name", "Secret"]]}')
    with client.session_transaction() as cookie:
        assert queries.kept_fields(cookie["sign_in"][0]) == []


def test_signing_out_ends_the_session_whatever_the_cookie_says(client):
    client.sign_in(make_person())
    with client.session_transaction() as cookie:
        stolen = dict(cookie)
    assert is_signed_in(client)
    assert client.post_form("/sign-out").location == "/"
    assert not is_signed_in(client)
    with client.session_transaction() as cookie:
        cookie.update(stolen)
    assert not is_signed_in(client)
    assert client.post_form("/sign-out").status_code == 303


def test_signing_in_as_somebody_else_ends_the_session_that_the_device_had(client, letters, sql):
    client.sign_in(make_person())
    client.get("/profile")
    ask_for_letter(client)
    assert client.post_form(link_of(letters.newest_to(ANA))).status_code == 303
    assert sql("SELECT count(*) FROM person_session WHERE ended_at IS NULL").scalar() == 1


def test_a_capacity_that_is_taken_away_works_on_the_next_page(client):
    person = make_staff(Capacity.OFFICER)
    client.sign_in(person)
    assert is_signed_in(client)
    actions.end_capacity(SYSTEM, person.id)
    assert not is_signed_in(client)


def test_staff_are_signed_in_for_a_working_day_others_for_two_weeks(session, sql):
    for person, hours in ((make_staff(Capacity.TRUSTEE), 10), (make_person(), 14 * 24)):
        session_id = actions.start_session(person.id)
        lasts = sql("SELECT expires_at - now() FROM person_session WHERE id = :id", id=session_id).scalar()
        assert timedelta(hours=hours) - timedelta(minutes=1) < lasts <= timedelta(hours=hours, minutes=1)


def test_the_eleventh_letter_to_one_address_waits_and_others_are_not_touched(client, letters):
    for _letter in range(10):
        ask_for_letter(client)
    refused = client.post_form("/sign-in", {"email": ANA.upper()})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert re.search(r"Try again after \d+ \w+ \d{4}, ", refused.text)
    ask_for_letter(client, email="other@example.org")


def test_thirty_letters_from_one_place_are_enough(client, letters):
    for number in range(30):
        ask_for_letter(client, email=f"person{number}@example.org")
    assert client.post_form("/sign-in", {"email": "another@example.org"}).status_code == 429
    elsewhere = client.post_form("/sign-in", {"email": "another@example.org"},
                                 environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 303


def test_nobody_chooses_the_place_that_they_are_counted_by(client, letters):
    for number in range(30):
        ask_for_letter(client, email=f"person{number}@example.org", headers={"X-Forwarded-For": f"192.0.2.{number}"})
    refused = client.post_form("/sign-in", {"email": "another@example.org"}, headers={"X-Forwarded-For": "192.0.2.99"})
    assert refused.status_code == 429


def test_behind_a_proxy_of_ours_people_are_counted_each_by_their_own_place(server, database):
    limiter.reset()
    given = Settings(_env_file=None, fund_env="test", proxies=1,
                     database_url=postgres.role_url(server, database, "fund_app"))
    browser = create_app(given).test_client()
    token = URLSafeTimedSerializer(given.secret_key.get_secret_value(), salt="wtf-csrf-token").dumps("0" * 40)
    with browser.session_transaction() as cookie:
        cookie["csrf_token"] = "0" * 40

    def ask(number, place):
        return browser.post("/sign-in", data={"email": f"nobody{number}", "csrf_token": token},
                            headers={"X-Forwarded-For": place}).status_code

    assert [ask(number, "192.0.2.1") for number in range(31)] == [422] * 30 + [429]
    assert ask(31, "198.51.100.9, 192.0.2.1") == 429
    assert ask(32, "192.0.2.2") == 422


def test_fifty_tries_at_one_moment_do_not_slip_through(app, client):
    token = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps("0" * 40)
    barrier, answers = threading.Barrier(50), []

    def try_once():
        # What is no address needs no database, so that fifty threads can ask at once.
        browser = FlaskClient(app, app.response_class)
        with browser.session_transaction() as cookie:
            cookie["csrf_token"] = "0" * 40
        barrier.wait()
        answers.append(browser.post("/sign-in", data={"email": "nobody", "csrf_token": token}).status_code)

    threads = [threading.Thread(target=try_once) for _number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50
    assert answers.count(429) == 40


def test_the_demo_shows_its_people_and_lets_a_visitor_be_one(client, sql):
    officer = make_staff(Capacity.OFFICER, name="Olu Officer", is_demo=True)
    make_person(name="Nora Neighbour", is_demo=True)
    real = make_person(name="Rita Real")
    page = client.get("/demo")
    assert "Be Olu Officer" in page.text
    assert "checks groups, eligibility and evidence" in page.text
    assert "Rita Real" not in page.text
    assert client.post_form(f"/demo/{real.id}").status_code == 404
    assert client.post_form("/demo/00000000-0000-0000-0000-000000000000").status_code == 404
    assert client.post(f"/demo/{officer.id}").status_code == 400
    assert client.post_form(f"/demo/{officer.id}", {"next": "//evil.example"}).location in {"/", "/waiting"}
    assert client.post_form(f"/demo/{officer.id}", {"next": "/profile"}).location == "/profile"
    assert "Olu Officer" in client.get("/profile").text


def test_somebody_gives_a_name_and_a_language_and_is_written_to_in_it(client, letters):
    client.sign_in(make_person(email=ANA, name=""))
    person = queries.person_with_email(ANA)
    assert [item.endpoint for item in queries.waiting_for(person.id, frozenset())] == ["people.profile"]
    answer = client.post_form("/profile", {"name": " Ana Jônes ", "language": "cy"})
    assert answer.status_code == 303
    assert "language=cy" in answer.headers["Set-Cookie"]
    assert queries.waiting_for(person.id, frozenset()) == []
    assert queries.names_of([person.id]) == {person.id: "Ana Jônes"}
    client.post_form("/sign-out")
    ask_for_letter(client)
    letter = letters.newest_to(ANA)
    assert letter["Content-Language"] == "cy"
    assert letter["Subject"].startswith("Eich cod yw ")
    assert code_of(letter)


@pytest.mark.parametrize("name", ["", "   ", "a\u202eb", "\u200b", "x" * 101, "two\nlines", "a\x07b"])
def test_a_name_that_nobody_could_read_is_refused_and_shown_again(client, name):
    client.sign_in(make_person(name="Ana"))
    assert client.post_form("/profile", {"name": name, "language": "en"}).status_code == 422
    assert client.post_form("/profile", {"name": "Ana", "language": "fr"}).status_code == 422


def in_production(server, database) -> Settings:
    here = Settings(_env_file=None, fund_env="test", database_url=postgres.role_url(server, database, "fund_app"))
    return here.model_copy(update={"fund_env": "production", "demo_sign_in": False})


def test_production_has_no_demo_page_and_makes_nobody_of_the_demo(server, database):
    app = create_app(in_production(server, database))
    assert not [rule for rule in app.url_map.iter_rules() if "demo" in rule.rule or "demo" in rule.endpoint]
    with app.app_context():
        with pytest.raises(Forbidden):
            actions.find_or_make_person("demo@example.org", is_demo=True)
        with pytest.raises(NotFound):
            actions.start_demo_sign_in(new_id())


def test_production_refuses_to_start_on_a_database_that_holds_a_person_of_the_demo(server, database):
    with psycopg.connect(postgres.superuser_url(server, database), autocommit=True) as connection:
        connection.execute("INSERT INTO person (id, email, is_demo) VALUES (gen_random_uuid(), 'd@example.org', true)")
        try:
            with pytest.raises(SystemExit, match="person of the demo"):
                create_app(in_production(server, database))
        finally:
            connection.execute("DELETE FROM person WHERE email = 'd@example.org'")
