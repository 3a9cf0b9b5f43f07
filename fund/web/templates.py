"""Templates are compiled once for each language, and what can be known then is worked out then.

A page is mostly words that never change. `{{ _("Find your place") }}` becomes plain text of the compiled template, and
so do `asset("fund.css")`, `there_is("/demo")` and `language()`; of `_("%(n)s left", n=left)` only the filling-in is
left for the page. A call with any argument that is not a constant stays a call.

A page that shows nothing but facts (`page_of_facts`) is drawn once for each set of facts, for readers whom it does not
know. Nothing has to be forgotten: other facts are another page.
"""

from collections.abc import Callable, MutableMapping
from functools import lru_cache
from typing import Any, TypeVar

from flask import Flask, current_app, g, render_template, request, session
from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from jinja2.nodes import EvalContext
from jinja2.visitor import NodeTransformer

from fund.kernel.errors import Broken
from fund.web.words import language_now

Node = TypeVar("Node", bound=nodes.Node)

#: How many drawn pages a process keeps: at some 12 KB each, 6 MB.
MOST_PAGES = 500


class _Generator(CodeGenerator):
    """Jinja's own, after the folding."""

    def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:
        """Fold the constants of a template, then generate its code."""
        if isinstance(self.environment, FoldingEnvironment):
            _Fold(self.environment, EvalContext(self.environment, self.name).autoescape).visit(node)
        super().visit_Template(node, frame)


class FoldingEnvironment(Environment):
    """The templates of one language. What is set on the first one (globals, filters, `constant`) holds for all."""

    code_generator_class = _Generator
    language = "en"

    def __init__(self, app: Flask, **options: Any) -> None:
        super().__init__(app, **options)
        #: Functions whose answer stays the same for as long as the process and the language, by name.
        self.constant: dict[str, Callable[..., Any]] = {}
        self.look_up: Callable[[str, str], str] = lambda _language, sentence: sentence
        self._others: dict[str, FoldingEnvironment] = {}

    def make_globals(self, given: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals themselves where a template has none of its own: Jinja's chain of maps costs at every import."""
        return super().make_globals(given) if given else self.globals

    def in_language(self, code: str) -> "FoldingEnvironment":
        """The same templates in another language, compiled when they are first asked for."""
        if code == self.language:
            return self
        if code not in self._others:
            made = self.overlay()
            made.language = code
            self._others[code] = made
        return self._others[code]


def page_of_facts(template: str, **facts: Any) -> str:
    """The page, drawn anew only when a fact is new to this process; every fact must be hashable.

    The key is all that the page depends on: the facts, the language and the address. A reader who is signed in, or
    whose words are to be put back, has a page drawn for them.
    """
    if session or "csp_nonce" in g or current_app.debug:
        return render_template(template, **facts)
    return _drawn(current_app._get_current_object(), template, language_now(),  # type: ignore[attr-defined]
                  request.full_path, tuple(facts.items()))


@lru_cache(maxsize=MOST_PAGES)
def _drawn(_app: Flask, template: str, _language: str, _address: str, facts: tuple[tuple[str, Any], ...]) -> str:
    page = render_template(template, **dict(facts))
    if session:  # a form's token is one reader's: kept here, it would be given to the next
        raise Broken(f"{template} shows more than facts: it wrote into the reader's session")
    return page


class _Fold(NodeTransformer):
    """Puts the answers of constant calls in their places."""

    def __init__(self, environment: FoldingEnvironment, autoescape: bool) -> None:
        self.environment, self.autoescape = environment, autoescape

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        """A call of a constant function with constant arguments becomes its answer."""
        self.generic_visit(node)
        given = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
        if not isinstance(node.node, nodes.Name) or node.dyn_args or node.dyn_kwargs or len(given) < len(node.args):
            return node
        name = node.node.name
        if name == "_" and len(given) == 1:
            return self._sentence(given[0], node)
        if name == "language":
            return self._at(node, nodes.Const(self.environment.language))
        if name in self.environment.constant and not node.kwargs:
            return self._at(node, nodes.Const(self.environment.constant[name](*given)))
        return node

    def _sentence(self, sentence: str, call: nodes.Call) -> nodes.Node:
        # As Jinja's gettext in its new style: safe where the template escapes, and always a format string.
        found: nodes.Expr = self._at(call, nodes.Const(self.environment.look_up(self.environment.language, sentence)))
        if self.autoescape:
            found = self._at(call, nodes.MarkSafe(found))
        values = [self._at(call, nodes.Pair(self._at(call, nodes.Const(keyword.key)), keyword.value))
                  for keyword in call.kwargs]
        return self._at(call, nodes.Mod(found, self._at(call, nodes.Dict(values))))

    def _at(self, call: nodes.Call, node: Node) -> Node:
        node.set_lineno(call.lineno)
        node.set_environment(self.environment)
        return node
