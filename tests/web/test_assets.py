"""The built files: named by their contents, complete, and not built again without need."""

import re

from fund.web import assets


def test_a_second_build_does_nothing(built):
    assert assets.build() is False


def test_every_file_that_a_built_file_names_is_there(built):
    for path in assets.STATIC.iterdir():
        if path.suffix in {".css", ".js"}:
            named = re.findall(r"[\"'(/]([\w.-]+\.(?:woff2|svg|js|png))[\"')]", path.read_text())
            for name in named:
                assert (assets.STATIC / name).exists(), f"{path.name} names {name}"


def test_names_change_with_contents_and_may_be_kept_for_ever(built, client):
    address = assets.asset("fund.css")
    assert re.fullmatch(r"/static/fund\.[0-9a-f]{12}\.css", address)
    answer = client.get(address)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer.headers


def test_the_pages_ask_for_files_that_are_there(built, client):
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text):
        assert client.get(address).status_code == 200, address


def test_the_style_asks_for_nothing_from_elsewhere(built):
    style = (assets.STATIC / assets.manifest()["fund.css"]).read_text()
    assert not re.search(r"url\([\"']?(?:https?:)?//|@import", style)
    assert "GDS Transport" not in style
