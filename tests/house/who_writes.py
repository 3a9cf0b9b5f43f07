"""Which function of the fund writes which table of the panel, itself or through what it names: found by reading.

Reading errs on the safe side: what a function names it is taken to call, and a job that it asks for it is taken to do.
"""

import ast
import functools
import re
from pathlib import Path

import click

import fund.cli

ROOT = Path(__file__).resolve().parent.parent.parent
FUND = ROOT / "fund"

#: What a panel says. Only a seat's holder writes these, and nobody changes them.
SAID = frozenset({"interest", "interest_ruling", "score", "score_lock", "score_release", "attendance", "agreed_reason",
                  "sitting_close", "decision", "sitting_pot"})
#: What is set around it, by rules and jobs; each with the reason why it decides nothing.
AROUND = {
    "panel": "one a neighbourhood, for ever; it holds no opinion",
    "seat": "whoever invites may add a seat and note a training; the code is accepted, and a seat given up, by its "
            "holder alone (one_way), and staff can hold none (may_sit)",
    "sitting": "opened by the house with a lot committed to; the trigger allows one at a time",
    "sitting_seed": "written once, unreadable to the application; the closing must reveal this very one (committed)",
    "sitting_application": "eligible applications only, in their own round's sitting, once and for ever",
    "assignment": "readers come from a fixed shuffle in rules.readers_for; more readers cannot lower a quorum, and the "
                  "median takes all of them",
    "score_reminder": "two, twelve hours apart, before a chair may close over a late reader; it removes no score",
    "award_taken_up": "says that a grant was offered; it frees what the decision holds and changes no decision",
}
PANEL = SAID | AROUND.keys()
TABLE_OF = {
    "Interest": "interest", "InterestRuling": "interest_ruling", "Score": "score", "ScoreLock": "score_lock",
    "ScoreRelease": "score_release", "Attendance": "attendance", "AgreedReason": "agreed_reason",
    "SittingClose": "sitting_close", "Decision": "decision", "Panel": "panel", "Seat": "seat", "Sitting": "sitting",
    "SittingSeed": "sitting_seed", "SittingApplication": "sitting_application", "Assignment": "assignment",
    "ScoreReminder": "score_reminder", "AwardTakenUp": "award_taken_up", "SittingPot": "sitting_pot",
}


class Module:
    """One file of the fund: its functions, and what its names stand for."""

    def __init__(self, path: Path) -> None:
        parts = path.relative_to(ROOT).with_suffix("").parts
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.functions: dict[str, ast.AST] = {}
        self.stands_for: dict[str, str] = {}
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                self.functions[node.name] = node
            elif isinstance(node, ast.ClassDef):
                self.functions.update({f"{node.name}.{each.name}": each for each in node.body
                                       if isinstance(each, ast.FunctionDef)})
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                self.stands_for.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
            elif isinstance(node, ast.Import):
                self.stands_for.update({a.asname: a.name for a in node.names if a.asname})

    def resolve(self, node: ast.AST) -> str:
        """The full name of what an expression names, as far as imports tell."""
        if isinstance(node, ast.Name):
            return self.stands_for.get(node.id, f"{self.name}.{node.id}")
        if isinstance(node, ast.Attribute):
            return f"{self.resolve(node.value)}.{node.attr}"
        return ""


@functools.cache
def modules() -> dict[str, Module]:
    """Every file of the fund by its dotted name."""
    found = [Module(path) for path in sorted(FUND.rglob("*.py"))]
    return {module.name: module for module in found}


def source_of(name: str) -> str:
    """Where a name comes from: a package's `__init__` may hand it on from a file inside."""
    module, _, last = name.rpartition(".")
    known = modules().get(module)
    return source_of(known.stands_for[last]) if known and last in known.stands_for else name


@functools.cache
def writers() -> dict[str, frozenset[str]]:
    """For every function of the fund the panel's tables that it writes, itself or through what it names."""
    direct: dict[str, set[str]] = {}
    calls: dict[str, set[str]] = {}
    jobs = {_job_name(node): f"{module.name}.{name}" for module in modules().values()
            for name, node in module.functions.items() if _job_name(node)}
    for module in modules().values():
        for name, function in module.functions.items():
            full = f"{module.name}.{name}"
            direct[full], calls[full] = set(), set()
            for node in ast.walk(function):
                direct[full] |= _writes(module, node)
                if isinstance(node, ast.Name | ast.Attribute):
                    named = module.resolve(node)
                    named = named.replace(f"{module.name}.self.", f"{module.name}.{name.split('.')[0]}.")
                    calls[full].add(source_of(named))
                if isinstance(node, ast.Constant) and node.value in jobs:
                    calls[full].add(jobs[node.value])
    for full in list(direct):  # naming a class reaches its methods
        owner = full.rsplit(".", 1)[0]
        if owner.rsplit(".", 1)[1].lstrip("_")[:1].isupper():
            direct.setdefault(owner, set())
            calls.setdefault(owner, set()).add(full)
    reached = {name: frozenset(tables) for name, tables in direct.items()}
    while True:
        wider = {name: reached[name].union(*(reached.get(call, frozenset()) for call in calls[name]))
                 for name in reached}
        if wider == reached:
            return reached
        reached = wider


def _job_name(function: ast.AST) -> str:
    for decorator in getattr(function, "decorator_list", []):
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "job":
            return str(decorator.args[0].value)  # type: ignore[attr-defined]
    return ""


SQL_WRITES = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|COPY)\s+(?:public\.)?(\w+)")


def _writes(module: Module, node: ast.AST) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return set(SQL_WRITES.findall(node.value)) & PANEL
    if isinstance(node, ast.Assign) and module.name.startswith(("fund.panels", "fund.decisions")):
        set_ = {target.attr for target in node.targets if isinstance(target, ast.Attribute)}
        return {"seat"} if set_ & {"trained_at", "code_accepted_at", "ended_at"} else set()
    if not isinstance(node, ast.Call):
        return set()
    named = [module.resolve(node.func)]
    if isinstance(node.func, ast.Attribute) and node.func.attr in {"insert", "update", "delete", "merge"}:
        named += [module.resolve(argument) for argument in node.args]
    models = [full.rsplit(".", 1)[1] for full in named
              if full.startswith(("fund.panels.models.", "fund.decisions.models."))]
    return {TABLE_OF[model] for model in models if model in TABLE_OF}


def tables_of_view(app, endpoint: str) -> frozenset[str]:
    """The panel's tables that a view writes."""
    view = app.view_functions[endpoint]
    return writers().get(f"{view.__module__}.{view.__name__}", frozenset())


def public_actions() -> dict[str, frozenset[str]]:
    """Every action of every part, with the panel's tables that it writes.

    An action is a public function of the part's `actions`; where that is a package, one that it hands on, or that
    anybody outside of it takes from a file inside.
    """
    found = {}
    for module in modules().values():
        part, _, rest = module.name.removeprefix("fund.").partition(".")
        package = f"fund.{part}.actions"
        if rest.split(".")[0] != "actions":
            continue
        taken = {what for other in modules().values() if not other.name.startswith(package + ".")
                 for what in other.stands_for.values()}
        found |= {f"{part}.{name}": writers()[f"{module.name}.{name}"] for name in module.functions
                  if not name.startswith("_") and "." not in name
                  and (module.name == package or {module.name, f"{module.name}.{name}"} & taken)}
    return found


def commands(group: click.Group = fund.cli.main, before: str = "") -> dict[str, frozenset[str]]:
    """Every command, with the panel's tables that it writes."""
    found: dict[str, frozenset[str]] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found |= commands(command, f"{before}{name} ")
        elif command is not None and command.callback is not None:
            callback = getattr(command.callback, "__wrapped__", command.callback)
            found[before + name] = writers()[f"{callback.__module__}.{callback.__name__}"]
    return found
