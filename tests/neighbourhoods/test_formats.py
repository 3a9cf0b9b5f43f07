"""Official files as text: known by their heading, quoted or not, in blocks, with wrong rows named."""

import io
import json

import pytest

from fund.kernel.errors import BadInput
from fund.neighbourhoods import formats
from fund.neighbourhoods.formats import outlines, recognise, rows

RESIDENTS = "lsoa21_code,residents"
AREAS = "lsoa21_name,lsoa21_code,ward24_name,ward24_code,ltla24_name,ltla24_code"


def read(text, known=None):
    form = recognise(text.split("\n")[0])
    return [row for block in rows(form, io.StringIO(text, newline=""), known) for row in block]


@pytest.mark.parametrize(("heading", "name"), [
    (AREAS, "lsoa21_ward24"), (RESIDENTS, "census2021"), ("\ufeff" + RESIDENTS, "census2021"),
    ("postcode,lsoa21_code,ward23_code,ward17_code,lat,lon", "postcodes_by_point"),
    ("postcode,ward_code,ward_name,msoa_code,lsoa_code", "postcodes_official"),
    ("postcode,residents", None), ("", None), ('"unfinished', None),
])
def test_a_file_is_known_by_its_heading_in_any_order_with_more_beside(heading, name):
    form = recognise(heading)
    assert (form.name if form else None) == name


def test_cells_come_in_our_order_whatever_the_files_order_line_ends_and_last_line():
    text = AREAS + "\r\nBolton 012B,E01004841,Smithills,E05014834,Bolton,E08000001"
    assert read(text) == [("E01004841", "Bolton 012B", "E05014834", "Smithills", "E08000001", "Bolton")]


def test_quoted_cells_and_names_damaged_by_a_wrong_decoding_are_read():
    text = AREAS + ('\nBristol 001A,E01014485,"Avonmouth, Lawrence Weston",E05010888,"Bristol, City of",E06000023\n'
                    "Gwynedd 003B,W01000052,Tre-garth a Mynydd Llandyg├íi,W05001614,Gwynedd,W06000002\n")
    first, second = read(text)
    assert first[3] == "Avonmouth, Lawrence Weston"
    assert second[3] == "Tre-garth a Mynydd Llandygái"


def test_rows_are_counted_right_across_blocks(monkeypatch):
    monkeypatch.setattr(formats, "BLOCK", 40)
    good = "".join(f"E01{n:06},{n}\n" for n in range(1, 50))
    assert len(read(f"{RESIDENTS}\n{good}")) == 49
    with pytest.raises(BadInput, match=r"Row 51, column residents: “many” should be a whole number of people") as bad:
        read(f"{RESIDENTS}\n{good}E01000050,many\n")
    assert bad.value.row == 51


@pytest.mark.parametrize("row", ["E01000001", "E01000001,1,2", "", ",,", "E01000001;5", '"E01000001,5', "E01000001,-1",
                                 "E01000001,1e3", "E01000001,٣", "XE01000001,5", "E01000001, 5", "E01000001,5\x00"])
def test_a_wrong_row_is_never_taken(row):
    with pytest.raises(BadInput) as bad:
        read(f"{RESIDENTS}\nE01000009,7\n{row}\n")
    assert bad.value.row == 3


def test_at_most_twenty_wrong_rows_are_named():
    with pytest.raises(BadInput) as bad:
        read(RESIDENTS + "\nE1,x" * 50)
    assert str(bad.value).count("\nRow") == 20
    assert "there may be more" in str(bad.value)


def test_an_area_that_we_do_not_know_is_wrong():
    assert read(f"{RESIDENTS}\nE01000001,5\n", {"E01000001"}) == [("E01000001", "5")]
    with pytest.raises(BadInput, match="a small area of the look-up of wards"):
        read(f"{RESIDENTS}\nE01000001,5\nE01000002,5\n", {"E01000001"})


def geojson(*features):
    return io.StringIO(json.dumps({"type": "FeatureCollection", "features": list(features)}))


def square(code="E01004841", at=(-2.4, 53.6), kind="Polygon"):
    x, y = at
    ring = [[x, y], [x + .01, y], [x + .01, y + .01], [x, y + .01], [x, y]]
    return {"properties": {"area_code": code},
            "geometry": {"type": kind, "coordinates": [ring] if kind == "Polygon" else [[ring]]}}


@pytest.mark.parametrize("kind", ["Polygon", "MultiPolygon"])
def test_an_outline_is_a_path_with_a_frame_and_north_is_up(kind):
    ((code, west, north, east, south, path),) = outlines(geojson(square(kind=kind)))
    assert code == "E01004841"
    assert int(west) < int(east)
    assert int(north) < int(south)
    assert path.startswith(f"M{west} {south}l")
    assert path.endswith("z")


def test_neighbours_meet_on_the_grid():
    (first, second) = outlines(geojson(square(), square("E01004840", (-2.39, 53.6))))
    assert first[3] == second[1]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"features": 3}', '{"features": []}', "{"])
def test_a_file_of_no_outlines_is_refused(text):
    with pytest.raises(BadInput):
        outlines(io.StringIO(text))


@pytest.mark.parametrize("feature", [{}, {"properties": {"area_code": "E01004841"}, "geometry": None},
                                     square(code="Bolton"), {"properties": {"area_code": "E01004841"},
                                     "geometry": {"type": "Polygon", "coordinates": [[["a", "b"]]]}},
                                     {"properties": {"area_code": "E01004841"},
                                      "geometry": {"type": "Polygon", "coordinates": [[]]}}])
def test_a_feature_that_cannot_be_drawn_is_named_by_its_number(feature):
    with pytest.raises(BadInput, match="Row 2"):
        outlines(geojson(square(), feature))
