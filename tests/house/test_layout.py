"""The house keeps its own plan: names, layers, the README's map, nothing of the machine that wrote it."""

import ast
import configparser
import fnmatch
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["bank", "grants", "decisions", "panels", "applications", "rounds", "allocations", "organisations", "people",
         "neighbourhoods", "documents", "notifications", "endowment", "ledger", "transparency", "dashboards", "portal"]
#: What one part alone has: the only line to the bank, and to the witnesses; the demo's facts about places, which are
#: data and no code; the verifier, which is a program of its own.
OWN_NAMES = {"bank": {"transport"}, "neighbourhoods": {"facts"}, "transparency": {"transport", "verify"}}
NAMES = {"__init__", "rules", "formats", "models", "queries", "actions", "forms", "views", "jobs", "cli", "storage"}
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
           for path in (ROOT / "fund").rglob("*.py")}
LOOK_AGAIN, EXPLAIN = 350, 500
#: One file on purpose: a stranger saves it and reads it from end to end.
IN_ONE_FILE = {ROOT / "fund" / "transparency" / "verify.py"}


def tracked() -> list[Path]:
    """Every file that git knows, and that is text."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines()
            if Path(name).suffix not in {".png", ".jpg", ".xsd", ".pdf", ".gz", ".zip"} and (ROOT / name).is_file()]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_only_the_names_that_the_house_knows(part):
    """A folder of the same name stands for a file that grew (`views/staff.py`)."""
    for path in (ROOT / "fund" / part).iterdir():
        if path.name != "__pycache__" and path.suffix in {".py", ""}:
            assert path.stem in NAMES | OWN_NAMES.get(part, set()), path
    assert ast.get_docstring(ast.parse((ROOT / "fund" / part / "__init__.py").read_text()))


def test_every_module_and_every_public_function_says_what_it_is_for():
    silent = []
    for path in (ROOT / "fund").rglob("*.py"):
        tree = ast.parse(path.read_text())
        silent += [] if ast.get_docstring(tree) else [str(path)]
        silent += [f"{path}: {node.name}" for node in tree.body
                   if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
                   and not ast.get_docstring(node)]
    assert not silent


def contracts() -> configparser.ConfigParser:
    """The contracts that import-linter keeps."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return parser


def test_every_pattern_of_a_contract_matches_something():
    """A pattern that matches nothing passes in silence."""
    empty = []
    for name in contracts().sections():
        for key in ("source_modules", "forbidden_modules", "protected_modules", "allowed_importers"):
            for pattern in contracts().get(name, key, fallback="").split():
                if pattern.startswith("fund") and not fnmatch.filter(MODULES, pattern.replace("**", "*")):
                    empty.append(f"{name} {key} {pattern}")
    assert not empty


def test_every_part_stands_in_the_order_of_the_house():
    layers = re.findall(r"\w+", contracts()["importlinter:contract:order"]["layers"])
    there = {path.stem for path in (ROOT / "fund").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert there - {"__init__"} == set(layers)


def where_rows() -> list[tuple[str, str, str]]:
    """The README's rows of "Where is the rule…?": question, file, name."""
    section = (ROOT / "README.md").read_text().split("## Where is the rule…?")[1].split("\n## ")[0]
    return re.findall(r"^\| (.+?) \| `([^`]+)` \| `([^`]+)` \|$", section, re.MULTILINE)


@pytest.mark.parametrize(("question", "file", "name"), where_rows())
def test_where_the_readme_says_a_rule_is_there_it_is(question, file, name):
    assert question.endswith("?")
    text = (ROOT / file).read_text()
    if file.endswith(".py"):
        defined = {node.name for node in ast.walk(ast.parse(text)) if hasattr(node, "name")}
        assert set(name.split(".")) <= defined, f"{file} has no {name}"
    else:
        assert name in text


def test_no_file_names_the_machine_that_wrote_it():
    """Paths of a home or a work folder, and hosts of package registries, are nobody else's business."""
    here = re.compile(r"/(?:work|tmp/wt|tmp/plan|root)/|files\.pythonhosted|pypi\.org/simple|registry\.npmjs")
    found = [f"{path.relative_to(ROOT)}:{number}" for path in tracked() if path != Path(__file__)
             for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1) if here.search(line)]
    assert not found


def test_sizes_are_looked_at(capsys):
    """Guidance, printed: only what passes 500 lines without a word of explanation in its docstring fails."""
    long = {path: text.count("\n") for path in tracked() if path.suffix == ".py"
            for text in [path.read_text()] if text.count("\n") > LOOK_AGAIN}
    with capsys.disabled():
        for path, lines in sorted(long.items(), key=lambda pair: -pair[1]):
            print(f"\n  {lines:>5} lines: {path.relative_to(ROOT)}", end="")
    assert not [str(path) for path, lines in long.items()
                if lines > EXPLAIN and path.is_relative_to(ROOT / "fund") and path not in IN_ONE_FILE]
