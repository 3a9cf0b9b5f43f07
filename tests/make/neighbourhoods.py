"""Places for tests: the shipped facts, and small wards made up for one test."""

from pathlib import Path

from fund.kernel.actor import SYSTEM
from fund.neighbourhoods import actions, queries
from fund.neighbourhoods.rules import NeighbourhoodSummary

ELIGIBLE = "BL1 5SF"  # Smithills, Bolton: small area Bolton 012B
OUTSIDE = "WA14 2EH"  # Hale, Trafford
ON_THE_OLD_LIST = "BL3 2EF"  # Great Lever, Bolton: its ward of 2017 was left behind in 2019



def load_facts():
    """The shipped facts and their ten neighbourhoods; gives the neighbourhoods' ids by code."""
    return actions.load_demo_facts(SYSTEM)


def make_neighbourhood(*, code: str = "E05014834") -> NeighbourhoodSummary:
    """A real neighbourhood of the shipped facts; Smithills in Bolton unless another code is asked for."""
    load_facts()
    return queries.neighbourhood_by_code(code)


def write_file(folder: Path, name: str, heading: str, *rows: str) -> Path:
    """A file to load, in `folder`."""
    path = folder / name
    path.write_text("\n".join((heading, *rows)) + "\n", encoding="utf-8")
    return path
