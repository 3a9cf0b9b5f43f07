"""Every route, one by one: its mark, its words, its name, and what it says to those whom it is not for."""

import ast
import inspect
import textwrap
import uuid
from functools import cache

import pytest
from itsdangerous import URLSafeTimedSerializer

from fund.app import create_app
from fund.settings import Settings
from fund.web import access
from tests.pages import WITHOUT_TOKEN

SAMPLES = {"UUIDConverter": str(uuid.UUID(int=1)), "_ShortInteger": "1", "PathConverter": "x"}
#: The one POST whose answer is what was asked for: taking the payment file by hand, which marks it as taken.
ANSWERS_WITH_A_FILE = {"bank.file"}
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


@cache
def an_app():
    """The application, without a database: enough to enumerate its routes."""
    return create_app(Settings(_env_file=None, fund_env="test", database_url="postgresql+psycopg://nobody@/none"))


def address(rule) -> str:
    """The rule's address with something in every gap."""
    values = {}
    for name in rule.arguments:
        converter = rule._converters[name]
        values[name] = sorted(converter.items)[0] if hasattr(converter, "items") else SAMPLES.get(
            type(converter).__name__, "2026-27" if name == "financial_year" else "ABC-2346-2346")
    return rule.build(values)[1]


def rules(methods: set[str]):
    """Each rule that takes any of these methods, with its endpoint as the test's name."""
    return [pytest.param(rule, id=rule.endpoint) for rule in sorted(an_app().url_map.iter_rules(), key=str)
            if rule.methods & methods and rule.endpoint != "static"]


def view_of(endpoint: str):
    """The view function itself, below its decorators."""
    return inspect.unwrap(an_app().view_functions[endpoint])


@pytest.mark.parametrize("rule", rules(UNSAFE | {"GET"}))
def test_every_route_has_its_mark_its_sentence_and_its_name(rule):
    access.mark_of(an_app(), rule.endpoint)
    sentence = inspect.getdoc(view_of(rule.endpoint)) or ""
    assert sentence, "no docstring"
    assert rule.endpoint.split(".")[-1] == view_of(rule.endpoint).__name__, "the endpoint is the function's name"


def test_no_two_routes_take_the_same_request():
    seen: dict[tuple[str, str], str] = {}
    for rule in an_app().url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            assert seen.setdefault((method, str(rule)), rule.endpoint) == rule.endpoint, (method, str(rule))


@pytest.mark.parametrize("rule", rules(UNSAFE))
def test_what_comes_from_another_site_is_refused_everywhere(client, rule):
    answer = client.post_form(address(rule), headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert client.post_form(address(rule), headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("rule", rules(UNSAFE))
def test_without_its_token_nothing_is_taken(client, rule):
    if str(rule) in WITHOUT_TOKEN:
        assert an_app().view_functions[rule.endpoint].__name__ == "language"
        return
    assert client.post(address(rule)).status_code in {400, 403}


@pytest.mark.parametrize("rule", rules(UNSAFE | {"GET"}))
def test_a_stranger_gets_nowhere_that_is_not_public(client, rule):
    mark = access.mark_of(an_app(), rule.endpoint)
    if mark.kind in {"public", "demo"}:
        return
    if "GET" in rule.methods:
        answer = client.get(address(rule))
        assert answer.status_code == 302
        assert answer.location.startswith("/sign-in?next=")
    for _method in rule.methods & UNSAFE:
        assert client.post_form(address(rule)).status_code == 403


@pytest.mark.parametrize("rule", rules(UNSAFE))
def test_a_post_ends_in_a_redirect_or_shows_its_form_again(rule):
    """Read in the source: a view that takes a POST has a redirect, or says a status when it draws a page."""
    if rule.endpoint in ANSWERS_WITH_A_FILE:
        return
    function = view_of(rule.endpoint)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    module = ast.parse(inspect.getsource(inspect.getmodule(function)))
    helpers = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    names, waiting = set(), [tree]
    while waiting:
        for node in ast.walk(waiting.pop()):
            name = getattr(node, "id", None) or getattr(node, "attr", None)
            if name and name not in names:
                names.add(name)
                if name in helpers:
                    waiting.append(helpers[name])
    assert names & {"redirect", "page", "make_response"}, f"{rule.endpoint} neither redirects nor shows its form again"


def test_the_token_of_another_key_is_refused(client):
    forged = URLSafeTimedSerializer("another key", salt="wtf-csrf-token").dumps("0" * 40)
    assert client.post("/sign-out", data={"csrf_token": forged}).status_code == 400
