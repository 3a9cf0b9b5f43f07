"""What is really inside a file: its kind, and anything in it that runs, calls out, hides or explodes. Pure.

Nothing here trusts a name or a browser. Every check stops at a limit, so that a small file cannot become a large one.
"""

import csv
import io
import re
import warnings
import zipfile
import zlib

import puremagic
from defusedxml import DefusedXmlException, ElementTree
from PIL import Image, ImageOps

MOST_PIXELS = 50_000_000
MOST_UNPACKED = 150 * 1024 * 1024
MOST_PDF_OBJECTS = 32 * 1024 * 1024
MOST_PARTS = 3000
MOST_RATIO = 200

_MAIN_TYPE = {
    "docx": b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xlsx": b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}
_ODT = b"application/vnd.oasis.opendocument.text"
_RUNS = re.compile(r"vbaproject|/activex/|(^|/)macrosheets/|dialogsheets/|^basic/|^scripts/|"
                   r"\.(exe|dll|js|vbs|bat|ps1)$", re.IGNORECASE)
_PDF_RUNS = re.compile(rb"/(?:JavaScript|JS|Launch|SubmitForm|ImportData|RichMedia|EmbeddedFiles?|XFA)(?![A-Za-z0-9])")
_PDF_NAME_HEX = re.compile(rb"#([0-9A-Fa-f]{2})")
_PDF_OBJECTS = re.compile(b"/" + b"".join(b"(?:%c|#(?i:%02x))" % (letter, letter) for letter in b"ObjStm")
                          + b"(?![A-Za-z0-9])")
_PDF_ODD_PACKING = re.compile(rb"/(?:ASCIIHexDecode|AHx|ASCII85Decode|A85|LZWDecode|LZW|RunLengthDecode|RL|Crypt)\b"
                              rb"|/Predictor|/Filter\s*(?:\[\s*)?\d")
_TEXT_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NUMBER = re.compile(r"[+-]?[£€$]?\s?[\d.,]*\s?%?")


class NotThatKind(ValueError):
    """The bytes are of another kind than the name says."""


class BadPicture(ValueError):
    """A picture that cannot be taken apart. Its text is a code: `image_too_large` or `broken`."""


def codes_against(kind: str, data: bytes) -> list[str]:
    """Codes of what is wrong inside a file of this kind. Raises NotThatKind when it is of another kind."""
    if kind == "pdf":
        return _against_pdf(data)
    if kind in {"docx", "xlsx", "odt"}:
        return _against_office(kind, data)
    if kind in {"csv", "txt"}:
        return _against_text(kind, data)
    if _image_kind(data) != kind:
        raise NotThatKind
    return []


def _image_kind(data: bytes) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def clean_image(kind: str, data: bytes) -> bytes:
    """The same picture, drawn anew: turned as the camera held it, without its place, camera or anything hidden in it.

    Raises BadPicture.
    """
    name = kind.upper()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd notes in a photo are common, and none of them is kept
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=[name]) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise BadPicture("image_too_large")
                picture.load()
                turned = ImageOps.exif_transpose(picture)
        has_holes = "A" in turned.getbands() or "transparency" in turned.info
        drawn = turned.convert("RGBA" if has_holes and kind != "jpeg" else "RGB")
        bare = Image.new(drawn.mode, drawn.size)
        bare.paste(drawn)
        out = io.BytesIO()
        bare.save(out, name, **({"quality": 88, "optimize": True} if kind == "jpeg" else {}))
    except BadPicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPicture("image_too_large") from error
    except Exception as error:  # Pillow meets broken files with errors of every kind; any of them is a broken picture.
        raise BadPicture("broken") from error
    return out.getvalue()


def _against_pdf(data: bytes) -> list[str]:
    if not data.startswith(b"%PDF-") or b"%%EOF" not in data[-2048:] or _hides_an_archive(data):
        raise NotThatKind
    if re.search(rb"/Encrypt(?![A-Za-z0-9])", _plain_names(data)):
        return ["locked"]
    if _PDF_RUNS.search(_plain_names(data)):
        return ["pdf_runs"]
    return _against_packed_pdf_objects(data)


def _plain_names(part: bytes) -> bytes:
    """Names as they are meant: `/J#61vaScript` is `/JavaScript`."""
    return _PDF_NAME_HEX.sub(lambda match: bytes([int(match[1], 16)]), part)


def _against_packed_pdf_objects(data: bytes) -> list[str]:
    """Look into the streams in which newer PDFs pack their objects; pictures and fonts are left alone.

    Programs that write PDFs pack these with Flate and nothing else. Any other packing is there to hide something.
    """
    unpacked = 0
    for match in _PDF_OBJECTS.finditer(data):
        begins = data.find(b"stream", match.end())
        if begins < 0:
            continue
        head = _plain_names(data[max(data.rfind(b"obj", 0, match.start()), 0):begins])
        begins += 8 if data[begins + 6:begins + 8] == b"\r\n" else 7
        inside = data[begins:data.find(b"endstream", begins)]
        if _PDF_ODD_PACKING.search(head):
            return ["pdf_hides"]
        if b"/Filter" in head or b"/F " in head:
            try:
                inside = zlib.decompressobj().decompress(inside, MOST_PDF_OBJECTS)
            except zlib.error:
                return ["pdf_hides"]
        unpacked += len(inside)
        if unpacked >= MOST_PDF_OBJECTS:
            return ["bomb"]
        if _PDF_RUNS.search(_plain_names(inside)):
            return ["pdf_runs"]
    return []


def _hides_an_archive(data: bytes) -> bool:
    """Whether a ZIP's directory stands at the end: the file would open as something else elsewhere."""
    return data.rfind(b"PK\x05\x06", max(0, len(data) - 66_000)) >= 0


def _against_office(kind: str, data: bytes) -> list[str]:
    if not data.startswith(b"PK\x03\x04"):
        if data.startswith(b"\xd0\xcf\x11\xe0") and b"E\0n\0c\0r\0y\0p\0t\0e\0d" in data:
            return ["locked"]
        raise NotThatKind
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _against_archive(kind, archive, len(data))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, UnicodeError, ValueError) as error:
        raise NotThatKind from error


def _against_archive(kind: str, archive: zipfile.ZipFile, size: int) -> list[str]:
    parts = archive.infolist()
    names = [part.filename for part in parts]
    most = min(MOST_UNPACKED, MOST_RATIO * size + 1_000_000)
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > most:
        return ["bomb"]
    if len(set(names)) != len(names) or any(
            name.startswith(("/", "\\")) or "\\" in name or ":" in name or ".." in name.split("/") for name in names):
        return ["paths"]
    if any(part.flag_bits & 1 for part in parts):
        return ["locked"]
    _be_that_kind(kind, archive, names)
    if any(_RUNS.search(name) for name in names):
        return ["macros"]
    for part in parts:
        inside = _read_to_its_end(archive, part)
        if inside is None:
            return ["bomb"]
        if part.filename.endswith(".rels") and _calls_outside(inside):
            return ["calls_outside"]
        if kind == "odt" and part.filename == "META-INF/manifest.xml" and b"encryption-data" in inside:
            return ["locked"]
        if b"macroEnabled" in inside and part.filename == "[Content_Types].xml":
            return ["macros"]
    return []


def _read_to_its_end(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes | None:
    """The first megabyte of a part, once all of it was read as far as it says it goes; None when it goes further."""
    with archive.open(part) as opened:
        first = opened.read(1_000_000)
        size = len(first)
        while size <= part.file_size and (more := opened.read(1_000_000)):
            size += len(more)
    return first if size == part.file_size else None


def _calls_outside(relationships: bytes) -> bool:
    """Whether opening the document would fetch something. Links that a person has to press are no such thing."""
    try:
        found = list(ElementTree.fromstring(relationships))
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise NotThatKind from error
    return any(one.get("TargetMode") == "External" and not one.get("Type", "").endswith("/hyperlink") for one in found)


def _be_that_kind(kind: str, archive: zipfile.ZipFile, names: list[str]) -> None:
    """Raise NotThatKind unless the archive's own words say that it is this kind."""
    if kind == "odt":
        if names[:1] != ["mimetype"] or archive.open("mimetype").read(200) != _ODT:
            raise NotThatKind
    elif "[Content_Types].xml" not in names:
        raise NotThatKind
    else:
        types = archive.open("[Content_Types].xml").read(1_000_000)
        if _MAIN_TYPE[kind] not in types and b"macroEnabled.main+xml" not in types:
            raise NotThatKind


def _against_text(kind: str, data: bytes) -> list[str]:
    text = text_of(data)
    if text is None or _TEXT_CONTROLS.search(text) or _looks_binary_or_marked_up(data, text):
        raise NotThatKind
    return ["formula"] if kind == "csv" and _has_formula(text) else []


def text_of(data: bytes) -> str | None:
    """The text of a file that is text: UTF-8, UTF-16 with its mark, or Windows-1252; None for anything else."""
    encodings = ["utf-16"] if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    return None


def _looks_binary_or_marked_up(data: bytes, text: str) -> bool:
    begins = text.lstrip().lower()[:200]
    if begins.startswith(("%pdf", "<!doctype", "<html", "<svg", "<?xml", "<script", "{\\rtf", "#!", "mz")):
        return begins[:2] != "mz" or "\n" not in text
    if data.startswith((b"PK\x03\x04", b"GIF8", b"\x7fELF")) or _hides_an_archive(data):
        return True
    try:
        found = puremagic.magic_string(data[:4096])
    except (puremagic.PureError, ValueError):
        return False
    return any(one.confidence >= 0.8 and one.extension not in {".txt", ".csv", ""} for one in found)


def _has_formula(text: str) -> bool:
    try:
        rows = csv.reader(io.StringIO(text, newline=""), strict=False)
        return any(_is_formula(cell) for row in rows for cell in row) or any(
            _is_formula(cell) for line in text.splitlines() for cell in re.split("[;\t]", line))
    except csv.Error:
        return True


def _is_formula(cell: str) -> bool:
    bare = cell.strip().strip("\"\'").strip()
    return bare.startswith(("=", "@")) or (bare.startswith(("+", "-")) and not _NUMBER.fullmatch(bare)
                                           and not bare.startswith(("- ", "-- ")) and "(" in bare)
