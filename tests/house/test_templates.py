"""Every template is used, and every template that is asked for is there."""

import re
from pathlib import Path

import pytest

from fund.web import assets
from tests.house.test_routes import an_app

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
NAMED = re.compile(r"[\"']([a-z_]+(?:/[\w-]+)*/_?[\w-]+\.(?:html|txt)|base\.html)[\"']")


def asked_for() -> set[str]:
    """The names of templates in the code and in other templates."""
    sources = [*(ROOT / "fund").rglob("*.py"), *TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.txt")]
    return {name for source in sources for name in NAMED.findall(source.read_text())}


def folders_asked_for() -> set[str]:
    """Folders whose templates are named by parts: letters are (`email/<message>/<language>.txt`)."""
    return {"email"}


def test_every_template_is_used():
    there = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.suffix in {".html", ".txt"}}
    lost = {name for name in there - asked_for() if name.split("/")[0] not in folders_asked_for()}
    assert not lost


def test_every_template_that_is_asked_for_is_there():
    ours = {name for name in asked_for() if not name.startswith("govuk_frontend")}
    assert not {name for name in ours if not (TEMPLATES / name).exists()}


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_compiles_and_holds_nothing_inline(path):
    text = path.read_text()
    an_app().jinja_env.get_template(str(path.relative_to(TEMPLATES)))
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=", text)
    assert "| safe" not in re.sub(r'\{\{ _\("[^"]*"\) \| safe \}\}', "", text), "only words of ours are safe"
    for name in re.findall(r"asset\('([^']+)'\)|asset\(\"([^\"]+)\"\)", text):
        assert (assets.FRONT / (name[0] or name[1])).exists() or "woff2" in "".join(name) or name[0] == "fund.css"
