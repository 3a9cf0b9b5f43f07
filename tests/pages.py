"""What is true of every page of ours; the test client asks it of each page that any test fetches."""

from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from fund.web.access import SIGN_IN_PATH

#: Pages elsewhere are few; links to our own must lead somewhere.
_NOT_TYPED = {"hidden", "submit", "button", "reset", "image"}
#: Changes a cookie of the asker's own and nothing of the fund's, so public pages need no session for a token.
WITHOUT_TOKEN = {"/language"}
_titles: dict[str, str] = {}


def check_page(app: Flask, response: Any) -> None:
    """Raise AssertionError with everything that is wrong with a page."""
    wrong = list(_faults(app, response))
    assert not wrong, f"{response.request.method} {response.request.path}: " + "; ".join(wrong)


def check_redirect(app: Flask, response: Any) -> None:
    """Raise AssertionError when it leads to no page of ours, or keeps a POST a POST."""
    target = response.location
    assert response.status_code in {301, 302, 303, 308}, response.status
    assert response.request.method in {"GET", "HEAD"} or response.status_code in {302, 303}, "a POST is sent on as one"
    assert _leads_somewhere(app, target, "GET", response.request.path), f"{target} leads nowhere"


def _faults(app: Flask, response: Any) -> Any:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    page = parser.parse(response.get_data(as_text=True))
    for (line, _column), code, values in parser.errors:
        yield f"line {line}: {code} {values}"
    yield from _whole(app, page, response)
    yield from _ids(page)
    yield from _labels(page)
    yield from _inline(page, response)
    yield from _pictures(page)
    yield from _links(app, page, response.request.path)
    yield from _forms(app, page, response.request.path)


def _text(element: Element | None) -> str:
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def _whole(app: Flask, page: Element, response: Any) -> Any:
    if page.get("lang") not in {"en", "cy"}:
        yield "no lang of ours on <html>"
    title = _text(page.find("head/title"))
    if not title or title.startswith("–"):
        yield "no title of its own"
    if title.count("To mend:") > 1:
        yield f"the title says twice that there is something to mend: {title}"
    if len(headings := page.findall(".//h1")) != 1 or not _text(headings[0]):
        yield f"{len(headings)} h1 in place of one"
    if response.status_code == 200 and response.request.method == "GET":
        rule = str(app.url_map.bind("localhost").match(response.request.path, return_rule=True)[0])
        if (other := _titles.setdefault(f"{page.get('lang')} {title}", rule)) != rule:
            yield f"{other} has the same title: {title}"


def _ids(page: Element) -> Any:
    seen: set[str] = set()
    for element in page.iter():
        if (name := element.get("id")) is not None:
            if name in seen:
                yield f"two elements have the id {name}"
            seen.add(name)
    for element in page.iter():
        for attribute in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            for name in (element.get(attribute) or "").split():
                if name not in seen:
                    yield f"{attribute} names {name}, which is not there"


def _labels(page: Element) -> Any:
    named = {label.get("for") for label in page.iter("label")}
    wrapped = {inside for label in page.iter("label") if _text(label) for inside in label.iter()}
    for field in page.iter():
        if field.tag not in {"input", "select", "textarea"} or field.get("type") in _NOT_TYPED:
            continue
        if field.get("id") not in named and field not in wrapped and not field.get("aria-label") \
                and not field.get("aria-labelledby"):
            yield f"{field.get('name')} has no label"
    for button in page.iter("button"):
        if not _text(button) and not button.get("aria-label"):
            yield "a button without words"


def _inline(page: Element, response: Any) -> Any:
    policy = response.headers.get("Content-Security-Policy", "")
    for script in page.iter("script"):
        if not script.get("src") and f"'nonce-{script.get('nonce')}'" not in policy:
            yield "an inline script without the nonce"
    for element in page.iter():
        if element.tag == "style" or element.get("style") is not None:
            yield f"inline style at <{element.tag}>"
        if any(name.startswith("on") for name in element.keys()):  # noqa: SIM118
            yield f"an inline handler at <{element.tag}>"


def _pictures(page: Element) -> Any:
    for picture in page.iter("img"):
        if picture.get("alt") is None:
            yield f"no alt at {picture.get('src')}"
    for drawing in page.iter("{http://www.w3.org/2000/svg}svg"):
        if drawing.get("aria-hidden") != "true" and drawing.find("{http://www.w3.org/2000/svg}title") is None:
            yield "a drawing without a title"


def _links(app: Flask, page: Element, here: str) -> Any:
    ids = {element.get("id") for element in page.iter()}
    for link in page.iter("a"):
        target = link.get("href")
        if target is None:
            yield f"a link without an address: {_text(link)}"
        elif target.startswith("#"):
            if target[1:] and target[1:] not in ids:
                yield f"{target} leads nowhere on this page"
        elif not _leads_somewhere(app, target, "GET", here):
            yield f"the link {target} leads nowhere"
        if not _text(link) and not link.get("aria-label") and not any(
                picture.get("alt") for picture in link.iter("img")):
            yield f"the link {target} has no words"


def _forms(app: Flask, page: Element, here: str) -> Any:
    for form in page.iter("form"):
        method = (form.get("method") or "get").upper()
        action = form.get("action") or here
        if not _leads_somewhere(app, action, method, here):
            yield f"no route takes {method} {action}"
        if method == "POST" and urlsplit(action).path not in WITHOUT_TOKEN and not any(
                field.get("name", "").endswith("csrf_token") and field.get("value") for field in form.iter("input")):
            yield f"the form to {action} has no token"


def _leads_somewhere(app: Flask, target: str, method: str, here: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or parts.path == SIGN_IN_PATH:
        return True
    path = unquote(parts.path) or here
    try:
        app.url_map.bind("localhost").match(path, method=method)
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True
