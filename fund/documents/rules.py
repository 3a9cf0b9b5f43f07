"""Which files are taken and why others are not. Pure: names, sizes and bytes in, reasons out."""

import re
import unicodedata

from fund.kernel.errors import BadInput
from fund.kernel.reasons import Reason
from fund.kernel.words import _

MOST_BYTES = 25 * 1024 * 1024
LONGEST_NAME = 120

#: Kind of file, by the ending of its name -> the type under which it is kept and given back.
TYPES = {
    "pdf": "application/pdf", "png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "odt": "application/vnd.oasis.opendocument.text", "csv": "text/csv", "txt": "text/plain",
}
IMAGES = frozenset({"png", "jpeg", "webp"})
_SAME = {"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "text": "txt"}
#: What a phone may say instead, of a file that we take.
_KINDLY = {"heic": "jpeg", "heif": "jpeg"}

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_NOT_IN_NAMES = re.compile(r'[<>:"|?*\\/]')


def shown_name(given: str) -> str:
    """A file's name as it is kept and shown: without folders, controls, or marks that turn the writing round.

    `C:\\papers\\quote.pdf` is `quote.pdf`; a name of which nothing is left is `file`. At most 120 characters, the
    ending kept.
    """
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", given)[-1])
    name = " ".join(_NOT_IN_NAMES.sub("_", _UNSEEN.sub("", last)).split()).strip(". ")
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        stem, dot, ending = name, "", ""
    return (stem[:LONGEST_NAME - len(ending) - 1].rstrip(". ") or "file") + dot + ending


def kind_by_name(name: str) -> str | None:
    """The kind that a name claims: `jpeg` for `Photo.JPG`; None for one that we do not take."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    kind = _SAME.get(ending, ending)
    return kind if kind in TYPES else None


def reasons_not_to_look_at(name: str, size: int) -> list[Reason]:
    """Why a file of this name and size is not even opened; none means that its contents decide (`reasons_for`)."""
    if not size:
        return [Reason("empty", _("The file is empty. Choose another one."))]
    if size > MOST_BYTES:
        return [Reason("too_big", _("The file is %(size)s MB. The most is 25 MB: make it smaller or split it.",
                                    size=-(-size // 1_048_576)))]
    return [] if kind_by_name(name) else [_other_kind(name)]


def reasons_for(codes: list[str]) -> list[Reason]:
    """What was found inside a file (`formats.codes_against`), in sentences."""
    return [Reason(code, _SENTENCES[code]()) for code in codes]


def not_what_it_says(name: str) -> Reason:
    """The reason for a file that is of another kind than its name says."""
    return Reason("not_what_it_says", _("The name ends in .%(ending)s, but what is inside is something else. Save it "
                                        "again in the program that made it, then choose it.",
                                        ending=name.rpartition(".")[2]))


def _other_kind(name: str) -> Reason:
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending in _KINDLY:
        return Reason("kind", _("Your phone saved this photo as .%(ending)s. Save it as JPEG, or take a screenshot of "
                                "it, and choose that.", ending=ending))
    if ending in {"doc", "xls", "docm", "xlsm", "ods", "rtf", "pages", "numbers"}:
        return Reason("kind", _("We cannot take .%(ending)s files. Save it as PDF, Word (.docx) or Excel (.xlsx) and "
                                "choose that.", ending=ending))
    return Reason("kind", _("We can take PDF, Word (.docx), Excel (.xlsx), OpenDocument text (.odt), CSV, plain text "
                            "and photos (JPEG, PNG, WebP)."))


_SENTENCES = {
    "pdf_runs": lambda: _("This PDF has a program inside, so we cannot take it. Print it to a new PDF and choose "
                          "that."),
    "pdf_hides": lambda: _("We cannot look inside this PDF. Print it to a new PDF and choose that."),
    "locked": lambda: _("This file has a password. Save it without one and choose it again."),
    "macros": lambda: _("This file has macros (small programs) inside. Save it as a file without macros, or as PDF."),
    "calls_outside": lambda: _("This file fetches something from outside when it is opened. Save it as PDF and choose "
                               "that."),
    "bomb": lambda: _("This file unpacks to far more than it seems. Save it again, or as PDF, and choose that."),
    "paths": lambda: _("This file has parts with odd names inside. Save it again in the program that made it."),
    "formula": lambda: _("A cell in this file begins with =, + , - or @, which a spreadsheet would run. Save it with "
                         "values only."),
    "image_too_large": lambda: _("This picture has more than 50 million dots. Make it smaller and choose it again."),
}


def refuse_bad_picture(code: str) -> BadInput:
    """What to say about a picture that could not be taken apart and put together again."""
    if code in _SENTENCES:
        return BadInput(_SENTENCES[code](), field="file")
    return BadInput(_("We could not open this picture. Save it again and choose that."), field="file")
