"""The whole official files of ../shared/data (SHARED_DIR says where else): loaded, counted, asked."""

import os
import time
from pathlib import Path

import pytest

from fund.db import session as fund_session
from fund.kernel.actor import SYSTEM
from fund.neighbourhoods import queries, rules
from fund.neighbourhoods.actions import load_file, open_neighbourhoods_within_bounds
from fund.neighbourhoods.actions.load import in_loading_order

SHARED = Path(os.environ.get("SHARED_DIR", Path(__file__).resolve().parents[2].parent / "shared"))
DATA = SHARED / "data"

pytestmark = [pytest.mark.real,
              pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data is not at {DATA}; set SHARED_DIR")]


@pytest.fixture
def loaded(session):
    """Every file that the loader knows, by name."""
    paths = in_loading_order(path for path in DATA.rglob("*") if path.suffix in {".csv", ".geojson"})
    return {path.name: load_file(SYSTEM, path) for path in paths}


def test_the_real_files_load_and_answer_as_the_principles_say(loaded, session, sql):
    assert {name: one.row_count for name, one in loaded.items()} == {
        "lookup_lsoa21_ward24_ltla24.csv": 35_672, "census2021_lsoa21_selected.csv": 35_672,
        "imd2025_england_lsoa21.csv": 33_755, "cni2023_england_lsoa21.csv": 33_755,
        "lookup_lsoa11_lsoa21_ltla22.csv": 35_795, "cni2019_england_ward17.csv": 7_433,
        "gm_lsoa_2021_super_generalised.geojson": 1_702, "gm_postcodes_lsoa21_derived.csv": 111_757,
        "trafford_postcodes_official_2025-02.csv": 11_264}
    assert sql("SELECT count(*) FROM earlier_list").scalar() == 225
    assert sql("SELECT count(*) FROM need_figure i JOIN need_figure c USING (lsoa_code) WHERE i.kind = 'imd' "
               "AND c.kind = 'cni' AND i.decile = 1 AND c.decile = 1").scalar() == 1_262
    in_, hale, old = map(queries.place_of_postcode, ("BL1 5SF", "WA14 2EH", "BL3 2EF"))
    assert (in_.lsoa_name, in_.imd.rank, in_.cni.rank) == ("Bolton 012B", 236, 2_924)
    assert (in_.imd.decile, in_.cni.decile) == (1, 1)
    assert (hale.ward_name, hale.imd.decile) == ("Hale", 7)
    assert (old.imd.decile, old.cni.decile, old.earlier_list) == (2, 7, "Harper Green")
    wards = queries.facts_by_ward()
    assert sum(not rules.reasons_not_a_neighbourhood(areas) for areas in wards.values()) == 503
    # The two files of postcodes agree on 10,848 of the 10,919 that both name.
    assert sql("SELECT count(*), count(*) FILTER (WHERE a.lsoa_code = b.lsoa_code) FROM postcode a "
               "JOIN postcode b USING (postcode) WHERE a.dataset_number < b.dataset_number").one() == (10_919, 10_848)
    assert len(open_neighbourhoods_within_bounds(SYSTEM, district_codes=["E08000001"])) == 3
    assert queries.place_of_postcode("BL1 5SF").neighbourhood.name == "Smithills"


def test_loading_a_real_file_again_does_nothing(loaded, sql):
    before = sql("SELECT count(*) FROM postcode").scalar()
    again = load_file(SYSTEM, DATA / "postcodes" / "gm_postcodes_lsoa21_derived.csv")
    assert again.was_there
    assert sql("SELECT count(*) FROM postcode").scalar() == before


def test_the_rate_of_loading_postcodes_beside_raw_copy(session, capsys):
    """Printed, not asserted: no timing decides a test. SPEED.md asks for at most three times raw COPY."""
    load_file(SYSTEM, DATA / "lookups" / "lookup_lsoa21_ward24_ltla24.csv")
    path = DATA / "postcodes" / "gm_postcodes_lsoa21_derived.csv"
    connection = fund_session.connection().connection.driver_connection
    connection.execute("CREATE TEMP TABLE raw (a text, b text, c text, d text, e text, f text)")
    began = time.perf_counter()
    with connection.cursor().copy("COPY raw FROM STDIN (FORMAT csv, HEADER)") as copy, path.open("rb") as file:
        while block := file.read(1 << 17):
            copy.write(block)
    raw = time.perf_counter() - began
    began = time.perf_counter()
    loaded = load_file(SYSTEM, path)
    ours = time.perf_counter() - began
    with capsys.disabled():
        print(f"\n{loaded.row_count:,} postcodes: raw COPY {raw:.3f} s, ours {ours:.3f} s, {ours / raw:.1f} times")
