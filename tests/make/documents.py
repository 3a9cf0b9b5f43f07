"""Files for tests: good ones of every kind, and the pieces to make bad ones of."""

import io
import zipfile
from typing import Any

from PIL import Image

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
ODT = "application/vnd.oasis.opendocument.text"


def make_pdf(inside: bytes = b"") -> bytes:
    """A PDF of one empty page; `inside` goes among its objects."""
    return (b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\n"
            b"endobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>\nendobj\n" + inside +
            b"\nxref\n0 4\ntrailer\n<</Root 1 0 R/Size 4>>\nstartxref\n0\n%%EOF\n")


def make_image(kind: str = "PNG", *, size: tuple[int, int] = (40, 30), mode: str = "RGB", **saved: Any) -> bytes:
    """A picture."""
    out = io.BytesIO()
    Image.new(mode, size, "teal").save(out, kind, **saved)
    return out.getvalue()


def make_zip(parts: dict[str, bytes | str]) -> bytes:
    """An archive with these parts, the first one stored and not packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, (name, inside) in enumerate(parts.items()):
            archive.writestr(zipfile.ZipInfo(name), inside, zipfile.ZIP_DEFLATED if number else zipfile.ZIP_STORED)
    return out.getvalue()


def make_office(kind: str = "docx", more: dict[str, bytes | str] | None = None, *, types: str = "") -> bytes:
    """A Word, Excel or OpenDocument file with `more` parts."""
    if kind == "odt":
        parts = {"mimetype": types or ODT, "META-INF/manifest.xml": "<m/>", "content.xml": "<c/>"}
    else:
        main = types or (DOCX if kind == "docx" else XLSX)
        parts = {"[Content_Types].xml": f'<Types><Override ContentType="{main}"/></Types>',
                 "word/document.xml": "<w/>"}
    return make_zip({**parts, **(more or {})})


#: One good file of every kind, by its name.
GOOD = {
    "plan.pdf": make_pdf(), "photo.png": make_image(), "photo.JPG": make_image("JPEG"),
    "photo.webp": make_image("WEBP"),
    "plan.docx": make_office(), "costs.xlsx": make_office("xlsx"), "plan.odt": make_office("odt"),
    "costs.csv": "what,£\nbench,-250.00\n- gloves,+12\n".encode(), "notes.txt": "Ein gardd – our garden\n".encode(),
}
