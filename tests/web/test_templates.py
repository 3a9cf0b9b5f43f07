"""What is worked out when a template is compiled, and pages that are drawn once for each set of facts."""

import pytest
from flask import render_template_string, session
from flask_wtf.csrf import generate_csrf

from fund.kernel.errors import Broken
from fund.web import assets, templates
from fund.web.templates import page_of_facts
from fund.web.words import in_language


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """The catalogues, compiled."""
    assets.build_words()


def code_of(app, source: str) -> str:
    """The Python that Jinja makes of a template."""
    return app.jinja_env.compile(source, "a.html", raw=True)


@pytest.mark.parametrize(("source", "text"), [
    ('{{ _("January") }}', "January"), ('<b>{{ _("January") }}</b>', "<b>January</b>"),
    ('{% if there_is("/ledger") %}books{% endif %}', "books"), ('{% if there_is("/nowhere") %}x{% endif %}', ""),
    ("{{ language() }}", "en"), ("{{ asset('fund.css') }}", assets.asset("fund.css")),
    ('{{ _("50 %% of it") }}', "50 % of it"), ('{{ _("a<br>b") | safe }}', "a<br>b"),
])
def test_constants_are_worked_out_when_the_template_is_compiled(app, source, text):
    with app.test_request_context("/"):
        assert render_template_string(source) == text
    assert "context.call" not in code_of(app, source)


def test_a_value_is_filled_in_on_the_page_and_escaped(app):
    source = '{{ _("%(date)s, %(time)s", date=who, time=2) }}'
    with app.test_request_context("/"):
        assert render_template_string(source, who="<i>") == "&lt;i&gt;, 2"
        assert render_template_string(source, who="you") == "you, 2"


def test_a_call_with_anything_unknown_stays_a_call(app):
    with app.test_request_context("/"):
        assert render_template_string("{{ _(month) }} {{ there_is(path) }}", month="May", path="/ledger") == "May True"


def test_each_language_has_templates_of_its_own(app):
    with app.test_request_context("/"):
        english = app.jinja_env.get_template("components/_footer.html")
        with in_language("cy"):
            welsh = app.jinja_env.get_template("components/_footer.html")
            assert render_template_string('{{ _("January") }} {{ language() }}') == "Ionawr cy"
            assert app.jinja_env.get_template("components/_footer.html") is welsh
        assert app.jinja_env.get_template("components/_footer.html") is english
        assert english is not welsh


@pytest.fixture
def drawn(app, monkeypatch):
    """Count how often a page is drawn; gives the list of what was drawn."""
    pages: list[dict[str, object]] = []
    templates._drawn.cache_clear()
    monkeypatch.setattr(templates, "render_template", lambda _name, **facts: pages.append(facts) or str(facts))
    yield pages
    templates._drawn.cache_clear()


def test_a_page_of_facts_is_drawn_once_and_anew_for_every_other_fact_language_or_address(app, drawn):
    for address, language, fact in [("/x", "en", 1), ("/x", "en", 1), ("/x", "en", 2), ("/x", "cy", 1), ("/x", "cy", 1),
                                    ("/y", "en", 1), ("/x?a=1", "en", 1), ("/x", "en", 1)]:
        with app.test_request_context(address), in_language(language):
            assert page_of_facts("a.html", fact=fact) == str({"fact": fact})
    assert len(drawn) == 5


def test_a_reader_whom_we_know_has_a_page_of_their_own(app, drawn):
    for _reader in range(2):
        with app.test_request_context("/x"):
            session["_user_id"] = "somebody"
            page_of_facts("a.html", fact=1)
    assert len(drawn) == 2


def test_a_fact_that_can_change_is_refused(app):
    with app.test_request_context("/x"), pytest.raises(TypeError, match="unhashable"):
        page_of_facts("a.html", facts=[1])


def test_a_page_with_a_form_of_one_reader_is_never_kept_for_another(app, monkeypatch):
    templates._drawn.cache_clear()
    monkeypatch.setattr(templates, "render_template", lambda _name, **_facts: generate_csrf())
    for _reader in range(2):
        with app.test_request_context("/x"), pytest.raises(Broken, match="more than facts"):
            page_of_facts("a.html", fact=1)
    assert templates._drawn.cache_info().currsize == 0


@pytest.mark.parametrize(("address", "links"), [("", 0), ("https://code.example.org/fund?a=1&b=2", 1)])
def test_the_foot_of_every_page_says_where_the_program_is(app, monkeypatch, address, links):
    monkeypatch.setitem(app.jinja_env.globals, "fund", app.config["FUND"].model_copy(update={"source_url": address}))
    with app.test_request_context("/"):
        said = app.jinja_env.get_template("components/_footer.html").render()
    assert said.count("Get the program") == links
    assert said.count("https://code.example.org/fund?a=1&amp;b=2") == links
