"""Letters: once, in the reader's language, to one address, and nothing of a person's words becomes a header."""

import smtplib
import socket
import uuid
from datetime import timedelta

import pytest

from fund import queue
from fund.kernel import clock
from fund.kernel.errors import Broken, OutsideDown
from fund.notifications import actions, formats, queries
from fund.settings import settings, use
from tests.make.people import make_person

EVIL = "Bank\r\nBcc: all@example.org\r\n\r\n<script>{{ config }}{% raw %}\x00\u202e"


@pytest.fixture
def templates(tmp_path, monkeypatch):
    """A folder of templates of the test's own."""
    folder = tmp_path / "news"
    folder.mkdir()
    told = "{{ amount_pence | pounds }}, {{ on | day }}."
    (folder / "en.txt").write_text("Subject: News of {{ name }}\n\nHello, " + told)
    (folder / "cy.txt").write_text("Subject: Newyddion {{ name }}\n\nHelo, " + told)
    monkeypatch.setattr(formats, "TEMPLATES", tmp_path)
    formats._environment.cache_clear()
    yield
    formats._environment.cache_clear()


def send_news(key="news 1", name="Ardwick", **more):
    actions.send("news", key=key, name=name, amount_pence=125050, on="2027-03-14", **more)


def test_a_letter_leaves_after_the_transaction_and_only_if_it_stands(session, letters, templates):
    person = make_person()
    session.commit()
    send_news(person_id=person.id)
    session.rollback()
    assert letters.post() == []
    send_news(person_id=person.id)
    letter = letters.newest_to(person.email)
    assert letter["Subject"] == "News of Ardwick"
    assert letter.get_content().strip() == "Hello, £1,250.50, 14 March 2027."
    assert queries.message_with_key("news 1").sent_at is not None


def test_one_key_is_one_letter_however_often_it_is_asked_for_or_its_job_runs(session, letters, templates):
    for _time in range(3):
        send_news(address="ana@example.org")
    letters.post()
    row = queries.message_with_key("news 1")
    for _time in range(2):
        queue.JOBS["notifications.send"](message_id=str(row.id))
    assert [to for to, _letter in letters.arrived] == ["ana@example.org"]
    assert letters.arrived[0][1]["Message-ID"] == f"<{row.id}@example.org>"


def test_a_welsh_person_gets_welsh_and_a_choice_stands_before_the_person(session, letters, templates):
    person = make_person(language="cy")
    send_news(person_id=person.id)
    letter = letters.newest_to(person.email)
    assert (letter["Subject"], letter["Content-Language"]) == ("Newyddion Ardwick", "cy")
    assert "14 Mawrth 2027" in letter.get_content()
    send_news(key="news 2", person_id=person.id, language="en")
    assert letters.newest_to(person.email)["Subject"] == "News of Ardwick"
    assert [row.key for row in queries.messages_to(person.id)] == ["news 2", "news 1"]


def test_words_of_people_never_become_a_header_a_recipient_or_a_template(session, letters, templates):
    send_news(name=EVIL.replace("\x00", ""), address="ana@example.org")
    letter = letters.newest_to("ana@example.org")
    assert letter["Bcc"] is None
    assert [to for to, _letter in letters.arrived] == ["ana@example.org"]
    assert letter["Subject"].startswith("News of Bank Bcc: all@example.org <script>{{ config }}{% raw %}")


@pytest.mark.parametrize("address", [
    "a@b.org, c@d.org", "a@b.org\nBcc: c@d.org", "Ana <a@b.org>, c@d.org", "nobody", ""])
def test_what_is_not_one_address_gets_no_letter(session, letters, templates, address):
    send_news(address=address)
    with pytest.raises(Broken):
        actions.deliver(queries.message_with_key("news 1").id)
    assert letters.arrived == []


def test_a_very_long_subject_is_cut(session, letters, templates):
    send_news(name="long " * 1000, address="ana@example.org")
    assert len(letters.newest_to("ana@example.org")["Subject"]) <= formats.LONGEST_SUBJECT


def test_secrets_are_sealed_in_the_row_and_gone_once_they_are_sent(session, letters, sql):
    actions.send("sign_in", key="a", address="ana@example.org", minutes=15,
                 secret={"link": "https://x.example/T0ken", "code": "123456"})
    session.flush()
    row = queries.message_with_key("a")
    assert b"T0ken" not in row.sealed
    assert "T0ken" not in str(sql("SELECT message.*, outbox.args FROM message, outbox").all())
    with pytest.raises(Broken):
        formats.unseal(row.sealed, key=settings().field_key.get_secret_value(), belongs_to=b"another row 1234")
    assert "T0ken" in letters.newest_to("ana@example.org").get_content()
    session.expire_all()
    assert queries.message_with_key("a").sealed is None


def test_a_letter_that_came_too_late_is_not_sent(session, letters, templates):
    send_news(address="ana@example.org", useless_at=clock.now() - timedelta(seconds=1))
    assert letters.post() == []
    assert queries.message_with_key("news 1").ended_as == "too_late"


def test_an_address_that_its_own_server_refuses_is_noted_and_not_tried_again(session, letters, templates):
    letters.refuses["gone@example.org"] = "550 no such person"
    send_news(address="gone@example.org")
    send_news(key="news 2", address="ana@example.org")
    assert [to for to, _letter in letters.post()] == ["ana@example.org"]
    assert [row.address for row in queries.refused_addresses()] == ["gone@example.org"]
    assert queue.run_all_due() == 0


def test_a_busy_server_is_tried_again_and_each_letter_then_goes_once(session, letters, templates, sql):
    letters.refuses["*"] = "451 later"
    for number in range(3):
        send_news(key=f"news {number}", address=f"person{number}@example.org")
    session.commit()
    for outbox_id in queue.due():
        with pytest.raises(OutsideDown):
            queue.run(str(outbox_id))
    assert letters.arrived == []
    errors = [row.last_error for row in sql("SELECT last_error FROM outbox").all()]
    assert len(errors) == 3
    assert not any("@" in error for error in errors)
    letters.refuses.clear()
    sql("UPDATE outbox SET due_at = now()")
    assert sorted(to for to, _letter in letters.post()) == [f"person{number}@example.org" for number in range(3)]
    assert queue.run_all_due() == 0


def test_no_server_at_all_is_outside_down_at_once(session, templates):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    use(settings().model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"}))
    send_news(address="ana@example.org")
    with pytest.raises(OutsideDown) as error:
        actions.deliver(queries.message_with_key("news 1").id)
    assert "ana" not in str(error.value)
    assert queries.message_with_key("news 1").sent_at is None


def test_a_server_that_never_answers_holds_a_job_for_seconds_only(session, templates, monkeypatch):
    monkeypatch.setattr(actions, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(settings().model_copy(update={"smtp_url": f"smtp://127.0.0.1:{silent.getsockname()[1]}"}))
        send_news(address="ana@example.org")
        with pytest.raises(OutsideDown):
            actions.deliver(queries.message_with_key("news 1").id)


def test_a_rehearsal_says_so_on_top_in_both_languages(session, letters, templates):
    use(settings().model_copy(update={"rehearsal": True}))
    for language, word in (("en", "Rehearsal"), ("cy", "Ymarfer")):
        send_news(key=language, address="ana@example.org", language=language)
        letter = letters.newest_to("ana@example.org")
        assert letter["Subject"].startswith(f"{word}: New")
        assert letter.get_content().startswith(f"{word}: ")


def test_a_value_that_is_missing_stops_the_letter_and_alarms(session, letters, templates):
    actions.send("news", key="a", address="ana@example.org", name="Ardwick")
    with pytest.raises(Broken):
        actions.deliver(queries.message_with_key("a").id)
    assert letters.arrived == []


def test_a_message_goes_to_somebody(session, templates):
    with pytest.raises(Broken):
        send_news()
    with pytest.raises(Broken):
        send_news(person_id=make_person().id, address="ana@example.org")
    send_news(person_id=uuid.UUID(int=0))
    with pytest.raises(Broken):
        session.commit()


def test_the_mail_server_is_reached_in_the_clear_or_by_tls_as_its_address_says():
    with pytest.raises((OSError, smtplib.SMTPException)):
        actions._connected("smtps", "127.0.0.1", 1)
    with pytest.raises((OSError, smtplib.SMTPException)):
        actions._connected("smtp+starttls", "127.0.0.1", 1)
