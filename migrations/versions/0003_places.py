"""Places: official areas and postcodes, the need of each area, and the neighbourhoods made of them.

Every figure hangs on the dataset it was read from, and a figure of a version never changes: a new version of an index
is new rows; the newest file that names a postcode answers for it. `postcode` has no foreign keys: the loader checks
every row, and a trigger on each of 2.7 million rows would take most of the time of a load.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

PINNED = ["dataset", "area", "lsoa", "lsoa_residents", "need_figure", "lsoa_2011", "earlier_list", "lsoa_outline",
          "postcode", "neighbourhood", "neighbourhood_area"]


def upgrade() -> None:
    """The tables, their grants, and the triggers that keep what is pinned."""
    op.execute("""
    CREATE TABLE dataset (
      id         uuid PRIMARY KEY,
      number     smallint NOT NULL CONSTRAINT uq_dataset_number UNIQUE,
      kind       text NOT NULL CONSTRAINT ck_dataset_kind CHECK (kind IN
                   ('areas', 'imd', 'cni', 'residents', 'areas_2011', 'earlier_list', 'postcodes', 'outlines')),
      version    text NOT NULL CONSTRAINT ck_dataset_version CHECK (version <> ''),
      as_of      date NOT NULL,
      source     text NOT NULL CONSTRAINT ck_dataset_source CHECK (source <> ''),
      licence    text NOT NULL CONSTRAINT ck_dataset_licence CHECK (licence <> ''),
      sha256     bytea NOT NULL CONSTRAINT ck_dataset_sha256 CHECK (octet_length(sha256) = 32),
      row_count  bigint NOT NULL CONSTRAINT ck_dataset_row_count CHECK (row_count > 0),
      loaded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_dataset_contents UNIQUE (sha256)
    );
    CREATE INDEX ix_dataset_kind ON dataset (kind, version);

    -- Wards and districts of 2024.
    CREATE TABLE area (
      code          text PRIMARY KEY CONSTRAINT ck_area_code CHECK (code ~ '^[EWSN][0-9]{8}$'),
      kind          text NOT NULL CONSTRAINT ck_area_kind CHECK (kind IN ('ward', 'district')),
      name          text NOT NULL CONSTRAINT ck_area_name CHECK (name <> ''),
      district_code text NOT NULL,
      dataset_id    uuid NOT NULL CONSTRAINT fk_area_dataset REFERENCES dataset,
      CONSTRAINT fk_area_district FOREIGN KEY (district_code) REFERENCES area (code) DEFERRABLE INITIALLY DEFERRED,
      CONSTRAINT ck_area_district CHECK (kind = 'ward' OR district_code = code)
    );
    CREATE INDEX ix_area_district ON area (district_code, code);

    -- The small areas of 2021 in which need is measured, each given whole to one ward.
    CREATE TABLE lsoa (
      code       text PRIMARY KEY CONSTRAINT ck_lsoa_code CHECK (code ~ '^[EW]01[0-9]{6}$'),
      name       text NOT NULL CONSTRAINT ck_lsoa_name CHECK (name <> ''),
      ward_code  text NOT NULL CONSTRAINT fk_lsoa_ward REFERENCES area,
      dataset_id uuid NOT NULL CONSTRAINT fk_lsoa_dataset REFERENCES dataset
    );
    CREATE INDEX ix_lsoa_ward ON lsoa (ward_code, code);

    CREATE TABLE lsoa_residents (
      lsoa_code  text NOT NULL CONSTRAINT fk_lsoa_residents_lsoa REFERENCES lsoa,
      version    text NOT NULL,
      residents  bigint NOT NULL CONSTRAINT ck_lsoa_residents CHECK (residents >= 0),
      dataset_id uuid NOT NULL CONSTRAINT fk_lsoa_residents_dataset REFERENCES dataset,
      PRIMARY KEY (lsoa_code, version)
    );

    -- Rank 1 and decile 1 are the greatest need. Scores are thousandths; a higher score is a greater need.
    CREATE TABLE need_figure (
      kind            text NOT NULL CONSTRAINT ck_need_figure_kind CHECK (kind IN ('imd', 'cni')),
      version         text NOT NULL,
      lsoa_code       text NOT NULL CONSTRAINT fk_need_figure_lsoa REFERENCES lsoa,
      rank            bigint NOT NULL CONSTRAINT ck_need_figure_rank CHECK (rank > 0),
      out_of          bigint NOT NULL,
      decile          smallint NOT NULL CONSTRAINT ck_need_figure_decile CHECK (decile BETWEEN 1 AND 10),
      score_milli     bigint NOT NULL CONSTRAINT ck_need_figure_score CHECK (score_milli >= 0),
      dataset_id      uuid NOT NULL CONSTRAINT fk_need_figure_dataset REFERENCES dataset,
      PRIMARY KEY (lsoa_code, kind, version),
      CONSTRAINT ck_need_figure_out_of CHECK (rank <= out_of)
    );

    -- An area of 2011 and what became of it: unchanged, split, merged, or something irregular.
    CREATE TABLE lsoa_2011 (
      code        text NOT NULL CONSTRAINT ck_lsoa_2011_code CHECK (code ~ '^[EW]01[0-9]{6}$'),
      lsoa_code   text NOT NULL CONSTRAINT fk_lsoa_2011_lsoa REFERENCES lsoa,
      change_code text NOT NULL CONSTRAINT ck_lsoa_2011_change CHECK (change_code IN ('U', 'S', 'M', 'X')),
      dataset_id  uuid NOT NULL CONSTRAINT fk_lsoa_2011_dataset REFERENCES dataset,
      PRIMARY KEY (code, lsoa_code)
    );

    -- Wards of 2017 that stood on an older list of places. It decides nothing; a page tells people that it does not.
    CREATE TABLE earlier_list (
      ward17_code text NOT NULL CONSTRAINT ck_earlier_list_code CHECK (ward17_code ~ '^[EW]05[0-9]{6}$'),
      version     text NOT NULL,
      name        text NOT NULL,
      dataset_id  uuid NOT NULL CONSTRAINT fk_earlier_list_dataset REFERENCES dataset,
      PRIMARY KEY (ward17_code, version)
    );

    -- The drawing of a small area: a path on one grid for the whole country (y grows southwards), and its frame.
    CREATE TABLE lsoa_outline (
      lsoa_code  text CONSTRAINT pk_lsoa_outline PRIMARY KEY CONSTRAINT fk_lsoa_outline_lsoa REFERENCES lsoa,
      path       text NOT NULL CONSTRAINT ck_lsoa_outline_path CHECK (path ~ '^[-MmLlZz0-9 ]+$'),
      west       bigint NOT NULL,
      north      bigint NOT NULL,
      east       bigint NOT NULL,
      south      bigint NOT NULL,
      dataset_id uuid NOT NULL CONSTRAINT fk_lsoa_outline_dataset REFERENCES dataset,
      CONSTRAINT ck_lsoa_outline_frame CHECK (west < east AND north < south)
    );

    -- `ward_code` is the postcode's own ward, which can differ from the ward its small area is given to. The collation
    -- is C because the key is only ever looked up whole, and a load is a third faster.
    CREATE TABLE postcode (
      postcode       text COLLATE "C" NOT NULL,
      lsoa_code      text NOT NULL,
      ward_code      text,
      ward17_code    text,
      dataset_number smallint NOT NULL,
      CONSTRAINT pk_postcode PRIMARY KEY (postcode, dataset_number)
    );

    CREATE TABLE neighbourhood (
      id            uuid PRIMARY KEY,
      code          text NOT NULL CONSTRAINT fk_neighbourhood_area_code REFERENCES area,
      slug          text NOT NULL CONSTRAINT ck_neighbourhood_slug CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
      name          text NOT NULL CONSTRAINT ck_neighbourhood_name CHECK (name <> ''),
      kind          text NOT NULL CONSTRAINT ck_neighbourhood_kind CHECK (kind IN ('ward', 'district')),
      district_code text NOT NULL CONSTRAINT fk_neighbourhood_district REFERENCES area,
      district_name text NOT NULL,
      residents     bigint NOT NULL CONSTRAINT ck_neighbourhood_residents CHECK (residents >= 0),
      version       integer NOT NULL DEFAULT 1 CONSTRAINT ck_neighbourhood_version CHECK (version > 0),
      bounds_rule   text NOT NULL CONSTRAINT ck_neighbourhood_bounds_rule CHECK (bounds_rule <> ''),
      created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_neighbourhood_code UNIQUE (code),
      CONSTRAINT uq_neighbourhood_slug UNIQUE (slug),
      CONSTRAINT uq_neighbourhood_kind UNIQUE (id, kind)
    );
    CREATE INDEX ix_neighbourhood_name ON neighbourhood (name, district_name, id);

    -- The areas of a neighbourhood. No area is in two ward neighbourhoods, so no two panels answer for one street.
    CREATE TABLE neighbourhood_area (
      neighbourhood_id uuid NOT NULL,
      kind             text NOT NULL,
      lsoa_code        text NOT NULL CONSTRAINT fk_neighbourhood_area_lsoa REFERENCES lsoa,
      PRIMARY KEY (neighbourhood_id, lsoa_code),
      CONSTRAINT fk_neighbourhood_area_neighbourhood FOREIGN KEY (neighbourhood_id, kind)
        REFERENCES neighbourhood (id, kind)
    );
    CREATE UNIQUE INDEX uq_neighbourhood_area_one_panel ON neighbourhood_area (lsoa_code) WHERE kind = 'ward';
    """)
    for table in PINNED:
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change();
        GRANT SELECT, INSERT ON {table} TO fund_common;
        """)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("""
    DROP TABLE neighbourhood_area; DROP TABLE neighbourhood; DROP TABLE postcode; DROP TABLE lsoa_outline;
    DROP TABLE earlier_list;
    DROP TABLE lsoa_2011; DROP TABLE need_figure; DROP TABLE lsoa_residents; DROP TABLE lsoa; DROP TABLE area;
    DROP TABLE dataset;
    """)
