"""Panels, seats, sittings, readers, interests, scores and locks.

What a member says (interest, score, lock, release) can be inserted in the role `fund_panel` alone, and only for the
seat of the person named by `fund.person`. Nothing of it can be changed or removed by anybody.

The triggers repeat fund/panels/rules.py. Each names the rule that refuses (`CONSTRAINT = …`, SQLSTATE 23514, or 42501
where somebody acts for another). Saying something in a sitting takes a shared lock on its panel, closing the sole one,
so a score either stands before the closing or is refused.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

#: Functions of the panel's rules, in the order in which they are made.
FUNCTIONS = (
    "panel_refuses(text, text, text)", "panel_today()", "seat_serves(seat)", "is_staff(uuid)", "seat_acts(uuid)",
    "sitting_panel(uuid)", "sitting_is_open(uuid, boolean)", "has_stake(uuid, uuid)", "seat_consequence(uuid, uuid)",
    "seat_in()", "seat_changes()", "sitting_in()", "sitting_seed_in()",
    "sitting_application_in()", "assignment_in()", "interest_in()", "interest_ruling_in()",
    "assignment_may_score(uuid)", "score_in()", "score_lock_in()", "score_release_in()", "score_reminder_in()",
    "sitting_pot_in()")

SAID_BY_A_MEMBER = ("interest", "interest_ruling", "score", "score_lock", "score_release", "sitting_pot")
SET_BY_THE_HOUSE = ("panel", "sitting", "sitting_application", "assignment", "score_reminder")


def upgrade() -> None:
    """Rows only; the state of a score or a seat is read from them."""
    op.execute("""
    CREATE TABLE panel (
      id               uuid PRIMARY KEY,
      neighbourhood_id uuid NOT NULL CONSTRAINT uq_panel_neighbourhood UNIQUE
                         CONSTRAINT fk_panel_neighbourhood REFERENCES neighbourhood,
      constituted_at   timestamptz NOT NULL DEFAULT clock_timestamp()
    );

    CREATE TABLE seat (
      id               uuid PRIMARY KEY,
      panel_id         uuid NOT NULL CONSTRAINT fk_seat_panel REFERENCES panel,
      number           smallint NOT NULL,
      person_id        uuid NOT NULL CONSTRAINT fk_seat_person REFERENCES person,
      is_resident      boolean NOT NULL,
      is_chair         boolean NOT NULL DEFAULT false,
      term_from        date NOT NULL,
      term_to          date NOT NULL,
      trained_at       timestamptz,
      code_accepted_at timestamptz,
      ended_at         timestamptz,
      CONSTRAINT uq_seat_number UNIQUE (panel_id, number),
      CONSTRAINT ck_seat_term CHECK (term_to > term_from),
      CONSTRAINT ck_seat_number CHECK (number BETWEEN 1 AND 15)
    );
    CREATE UNIQUE INDEX uq_seat_person ON seat (panel_id, person_id) WHERE ended_at IS NULL;
    CREATE UNIQUE INDEX uq_seat_chair ON seat (panel_id) WHERE is_chair AND ended_at IS NULL;
    CREATE INDEX ix_seat_person ON seat (person_id) WHERE ended_at IS NULL;
    GRANT SELECT, INSERT ON seat TO fund_common;
    GRANT UPDATE (trained_at, code_accepted_at, ended_at) ON seat TO fund_common;

    -- A sitting gathers applications. Its lot was committed to before anybody scored.
    CREATE TABLE sitting (
      id                uuid PRIMARY KEY,
      round_id          uuid NOT NULL CONSTRAINT fk_sitting_round REFERENCES round,
      number            smallint NOT NULL CONSTRAINT ck_sitting_number CHECK (number >= 1),
      scoring_closes_at timestamptz NOT NULL,
      seed_commitment   bytea NOT NULL CONSTRAINT ck_sitting_seed_commitment CHECK (octet_length(seed_commitment) = 32),
      opened_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_sitting_number UNIQUE (round_id, number),
      CONSTRAINT ck_sitting_deadline CHECK (scoring_closes_at > opened_at)
    );
    -- The seed itself: only a transaction of the panel's can read it, to close the sitting.
    CREATE TABLE sitting_seed (
      sitting_id uuid CONSTRAINT pk_sitting_seed PRIMARY KEY CONSTRAINT fk_sitting_seed_sitting REFERENCES sitting,
      seed       bytea NOT NULL CONSTRAINT ck_sitting_seed CHECK (octet_length(seed) = 32)
    );
    GRANT INSERT ON sitting_seed TO fund_common;
    GRANT SELECT ON sitting_seed TO fund_panel;

    CREATE TABLE sitting_application (
      application_id uuid CONSTRAINT pk_sitting_application PRIMARY KEY
                       CONSTRAINT fk_sitting_application_eligibility REFERENCES eligibility,
      sitting_id     uuid NOT NULL CONSTRAINT fk_sitting_application_sitting REFERENCES sitting,
      -- The need of the place it names, as it stood then: the lower rank is the greater need.
      need_rank      bigint NOT NULL DEFAULT 0 CONSTRAINT ck_sitting_application_need CHECK (need_rank >= 0),
      put_at         timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX ix_sitting_application_sitting ON sitting_application (sitting_id, application_id);

    CREATE TABLE assignment (
      id             uuid PRIMARY KEY,
      application_id uuid NOT NULL CONSTRAINT fk_assignment_application REFERENCES sitting_application,
      seat_id        uuid NOT NULL CONSTRAINT fk_assignment_seat REFERENCES seat,
      assigned_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_assignment UNIQUE (application_id, seat_id)
    );
    CREATE INDEX ix_assignment_seat ON assignment (seat_id, assigned_at);

    -- The newest row of a seat for an application counts.
    CREATE TABLE interest (
      id             uuid PRIMARY KEY,
      application_id uuid NOT NULL CONSTRAINT fk_interest_application REFERENCES sitting_application,
      seat_id        uuid NOT NULL CONSTRAINT fk_interest_seat REFERENCES seat,
      version        smallint NOT NULL CONSTRAINT ck_interest_version CHECK (version >= 1),
      answer         text NOT NULL CONSTRAINT ck_interest_answer CHECK (answer IN
                       ('nothing', 'know_someone', 'neighbour_runs_it', 'family_would_use_it', 'i_am_in_it',
                        'not_sure')),
      consequence    text NOT NULL CONSTRAINT ck_interest_consequence CHECK (consequence IN
                       ('none', 'note_only', 'no_scoring', 'out_of_room', 'ask')),
      declared_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_interest_version UNIQUE (application_id, seat_id, version),
      CONSTRAINT ck_interest_follows_answer CHECK (consequence = CASE answer
        WHEN 'nothing' THEN 'none' WHEN 'know_someone' THEN 'note_only' WHEN 'family_would_use_it' THEN 'note_only'
        WHEN 'neighbour_runs_it' THEN 'no_scoring' WHEN 'i_am_in_it' THEN 'out_of_room' ELSE 'ask' END)
    );
    CREATE TABLE interest_ruling (
      interest_id uuid CONSTRAINT pk_interest_ruling PRIMARY KEY
                    CONSTRAINT fk_interest_ruling_interest REFERENCES interest,
      consequence text NOT NULL CONSTRAINT ck_interest_ruling_consequence
                    CHECK (consequence IN ('none', 'note_only', 'no_scoring', 'out_of_room')),
      ruled_by    uuid NOT NULL CONSTRAINT fk_interest_ruling_seat REFERENCES seat,
      ruled_at    timestamptz NOT NULL DEFAULT clock_timestamp()
    );

    CREATE TABLE score (
      id            uuid PRIMARY KEY,
      assignment_id uuid NOT NULL CONSTRAINT fk_score_assignment REFERENCES assignment,
      criterion_id  uuid NOT NULL CONSTRAINT fk_score_criterion REFERENCES criterion,
      version       smallint NOT NULL CONSTRAINT ck_score_version CHECK (version >= 1),
      points        smallint NOT NULL CONSTRAINT ck_score_points CHECK (points BETWEEN 0 AND 5),
      reason        text NOT NULL CONSTRAINT ck_score_reason CHECK (length(btrim(reason)) > 0),
      saved_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_score_version UNIQUE (assignment_id, criterion_id, version)
    );
    CREATE TABLE score_lock (
      assignment_id uuid CONSTRAINT pk_score_lock PRIMARY KEY
                      CONSTRAINT fk_score_lock_assignment REFERENCES assignment,
      salt          bytea NOT NULL CONSTRAINT ck_score_lock_salt CHECK (octet_length(salt) = 32),
      commitment    bytea NOT NULL,
      locked_at     timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    -- A reader who cannot finish lets the panel go on without their score.
    CREATE TABLE score_release (
      assignment_id uuid CONSTRAINT pk_score_release PRIMARY KEY
                      CONSTRAINT fk_score_release_assignment REFERENCES assignment,
      released_at   timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE score_reminder (
      assignment_id uuid NOT NULL CONSTRAINT fk_score_reminder_assignment REFERENCES assignment,
      number        smallint NOT NULL,
      sent_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT pk_score_reminder PRIMARY KEY (assignment_id, number)
    );
    -- How much of its money the panel puts into one sitting, said by the chair before anybody scores; else all of it.
    CREATE TABLE sitting_pot (
      sitting_id uuid CONSTRAINT pk_sitting_pot PRIMARY KEY CONSTRAINT fk_sitting_pot_sitting REFERENCES sitting,
      pot_pence  bigint NOT NULL CONSTRAINT ck_sitting_pot CHECK (pot_pence > 0),
      set_by     uuid NOT NULL CONSTRAINT fk_sitting_pot_seat REFERENCES seat,
      set_at     timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    """)
    for table in (*SAID_BY_A_MEMBER, *SET_BY_THE_HOUSE, "sitting_seed"):
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change();
        """)
    for table in SAID_BY_A_MEMBER:
        op.execute(f"GRANT SELECT ON {table} TO fund_common; GRANT INSERT ON {table} TO fund_panel")
    for table in SET_BY_THE_HOUSE:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO fund_common")
    for text in (WHO_ACTS, PEOPLE, SITTINGS, INTERESTS, SCORES):
        op.execute(text)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("""
    DROP TABLE sitting_pot, score_reminder, score_release, score_lock, score, interest_ruling, interest, assignment,
      sitting_application, sitting_seed, sitting;
    DROP TRIGGER may_sit ON seat; DROP TRIGGER one_way ON seat;
    """)
    for function in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TABLE seat, panel")


WHO_ACTS = """
CREATE FUNCTION panel_refuses(rule text, sentence text, state text DEFAULT '23514') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = state, CONSTRAINT = rule, MESSAGE = sentence;
END $$;

CREATE FUNCTION panel_today() RETURNS date LANGUAGE sql STABLE AS $$
  SELECT (clock_timestamp() AT TIME ZONE 'Europe/London')::date
$$;

-- In its term, not ended, trained, and the code of conduct accepted.
CREATE FUNCTION seat_serves(s seat) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT s.ended_at IS NULL AND s.trained_at IS NOT NULL AND s.code_accepted_at IS NOT NULL
     AND s.term_from <= panel_today() AND panel_today() < s.term_to
$$;

CREATE FUNCTION is_staff(person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM capacity c WHERE c.person_id = person AND c.ended_at IS NULL)
$$;

-- Whoever writes acts from their own serving seat, and is not one of the fund's staff.
CREATE FUNCTION seat_acts(seat_id uuid) RETURNS seat LANGUAGE plpgsql STABLE AS $$
DECLARE s seat;
BEGIN
  SELECT * INTO s FROM seat WHERE seat.id = seat_id;
  IF s.person_id IS DISTINCT FROM nullif(current_setting('fund.person', true), '')::uuid THEN
    PERFORM panel_refuses('ck_seat_acts_for_itself', 'nobody acts from a seat but the person who holds it', '42501');
  END IF;
  IF NOT seat_serves(s) THEN
    PERFORM panel_refuses('ck_seat_serving', 'the seat is not serving');
  END IF;
  IF is_staff(s.person_id) THEN
    PERFORM panel_refuses('ck_seat_no_staff', 'staff of the fund hold no seat of a panel', '42501');
  END IF;
  RETURN s;
END $$;

CREATE FUNCTION sitting_panel(sitting uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT p.id FROM sitting t JOIN round r ON r.id = t.round_id JOIN panel p ON p.neighbourhood_id = r.neighbourhood_id
  WHERE t.id = sitting
$$;

-- Take the panel's lock (shared to say something, sole to close), then look whether the sitting is still open.
CREATE FUNCTION sitting_is_open(sitting uuid, sole boolean) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE lock_id bigint := hashtextextended(sitting_panel(sitting)::text, 8);
BEGIN
  IF sole THEN PERFORM pg_advisory_xact_lock(lock_id); ELSE PERFORM pg_advisory_xact_lock_shared(lock_id); END IF;
  IF EXISTS (SELECT FROM sitting_close c WHERE c.sitting_id = sitting) THEN
    PERFORM panel_refuses('ck_sitting_open', 'the sitting is closed');
  END IF;
END $$;
"""

PEOPLE = """
-- Nobody is of a panel and of the staff at once; the other half of the rule, and the lock, stand in 0004.
CREATE FUNCTION seat_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM lock_person(NEW.person_id);
  IF is_staff(NEW.person_id) THEN
    PERFORM panel_refuses('ck_seat_no_staff', 'staff of the fund hold no seat of a panel', '42501');
  END IF;
  IF NEW.code_accepted_at IS NOT NULL OR NEW.ended_at IS NOT NULL THEN
    PERFORM panel_refuses('ck_seat_code_by_holder', 'a new seat has not accepted the code: its holder does', '42501');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER may_sit BEFORE INSERT ON seat FOR EACH ROW EXECUTE FUNCTION seat_in();

-- What is set stays set. The code is accepted, and a seat given up, by its holder alone: nobody else ends a seat.
CREATE FUNCTION seat_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.trained_at IS NOT NULL AND NEW.trained_at IS DISTINCT FROM OLD.trained_at)
     OR (OLD.code_accepted_at IS NOT NULL AND NEW.code_accepted_at IS DISTINCT FROM OLD.code_accepted_at)
     OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at) THEN
    PERFORM panel_refuses('ck_seat_one_way', 'what is written of a seat stays written');
  END IF;
  IF (NEW.code_accepted_at IS DISTINCT FROM OLD.code_accepted_at OR NEW.ended_at IS DISTINCT FROM OLD.ended_at)
     AND (current_user <> 'fund_panel'
          OR OLD.person_id IS DISTINCT FROM nullif(current_setting('fund.person', true), '')::uuid) THEN
    PERFORM panel_refuses('ck_seat_acts_for_itself', 'only its holder accepts the code or gives up a seat', '42501');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER one_way BEFORE UPDATE ON seat FOR EACH ROW EXECUTE FUNCTION seat_changes();
"""

SITTINGS = """
-- One sitting of a round is open at a time; a round that closes is scored after it closed.
CREATE FUNCTION sitting_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.number <> 1 + coalesce((SELECT max(s.number) FROM sitting s WHERE s.round_id = NEW.round_id), 0)
     OR EXISTS (SELECT FROM sitting s WHERE s.round_id = NEW.round_id
                AND NOT EXISTS (SELECT FROM sitting_close c WHERE c.sitting_id = s.id)) THEN
    PERFORM panel_refuses('ck_sitting_one_at_a_time', 'the sitting before this one is still open');
  END IF;
  IF NOT EXISTS (SELECT FROM round r WHERE r.id = NEW.round_id
                 AND (r.closes_at IS NULL OR NEW.scoring_closes_at > r.closes_at)) THEN
    PERFORM panel_refuses('ck_sitting_after_round', 'scoring closes after its round');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER one_at_a_time BEFORE INSERT ON sitting FOR EACH ROW EXECUTE FUNCTION sitting_in();

CREATE FUNCTION sitting_seed_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM sitting s WHERE s.id = NEW.sitting_id AND s.seed_commitment = sha256(NEW.seed)) THEN
    PERFORM panel_refuses('ck_sitting_seed_committed', 'this is not the seed that was committed to');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER committed BEFORE INSERT ON sitting_seed FOR EACH ROW EXECUTE FUNCTION sitting_seed_in();

CREATE FUNCTION sitting_application_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sitting_is_open(NEW.sitting_id, false);
  IF NOT EXISTS (SELECT FROM eligibility e WHERE e.application_id = NEW.application_id AND e.eligible) THEN
    PERFORM panel_refuses('ck_sitting_application_eligible', 'only an eligible application goes to the panel');
  END IF;
  IF NOT EXISTS (SELECT FROM application a JOIN sitting s ON s.round_id = a.round_id
                 WHERE a.id = NEW.application_id AND s.id = NEW.sitting_id) THEN
    PERFORM panel_refuses('ck_sitting_application_round', 'an application is decided in its own round');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER eligible BEFORE INSERT ON sitting_application FOR EACH ROW EXECUTE FUNCTION sitting_application_in();

-- A person who wrote or sent the application, or is of its group, can never read it for the panel.
CREATE FUNCTION has_stake(application uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM application a WHERE a.id = application AND a.applicant_id = person)
      OR EXISTS (SELECT FROM submission s WHERE s.application_id = application AND s.submitted_by = person)
      OR EXISTS (SELECT FROM submission s JOIN membership m ON m.organisation_id = s.organisation_id
                 WHERE s.application_id = application AND m.person_id = person AND m.ended_at IS NULL)
$$;

CREATE FUNCTION assignment_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s seat; t uuid;
BEGIN
  SELECT * INTO s FROM seat WHERE id = NEW.seat_id;
  SELECT sitting_id INTO t FROM sitting_application WHERE application_id = NEW.application_id;
  IF t IS NULL THEN RETURN NEW; END IF;  -- the foreign key refuses it
  PERFORM sitting_is_open(t, false);
  IF s.panel_id IS DISTINCT FROM sitting_panel(t) OR NOT seat_serves(s) THEN
    PERFORM panel_refuses('ck_assignment_own_panel', 'a reader serves on the panel of the application''s place');
  END IF;
  IF has_stake(NEW.application_id, s.person_id) THEN
    PERFORM panel_refuses('ck_assignment_no_stake', 'nobody reads an application of their own group');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER own_panel BEFORE INSERT ON assignment FOR EACH ROW EXECUTE FUNCTION assignment_in();
"""

INTERESTS = """
-- What a seat's newest interest means, the ruling on it taken in; NULL while nothing is said.
CREATE FUNCTION seat_consequence(application uuid, seat uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(r.consequence, i.consequence)
  FROM interest i LEFT JOIN interest_ruling r ON r.interest_id = i.id
  WHERE i.application_id = application AND i.seat_id = seat ORDER BY i.version DESC LIMIT 1
$$;

CREATE FUNCTION interest_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s seat; t uuid; steps text[] := ARRAY['none', 'note_only', 'ask', 'no_scoring', 'out_of_room']; now_is text;
BEGIN
  s := seat_acts(NEW.seat_id);
  SELECT sitting_id INTO t FROM sitting_application WHERE application_id = NEW.application_id;
  PERFORM sitting_is_open(t, false);
  IF s.panel_id IS DISTINCT FROM sitting_panel(t) THEN
    PERFORM panel_refuses('ck_interest_own_panel', 'a member speaks of applications to their own panel');
  END IF;
  IF NEW.version <> 1 + coalesce((SELECT max(i.version) FROM interest i
                                  WHERE i.application_id = NEW.application_id AND i.seat_id = NEW.seat_id), 0) THEN
    PERFORM panel_refuses('ck_interest_next_version', 'the versions of an interest follow one another');
  END IF;
  now_is := seat_consequence(NEW.application_id, NEW.seat_id);
  IF now_is IS NOT NULL AND array_position(steps, NEW.consequence) <= array_position(steps, now_is) THEN
    PERFORM panel_refuses('ck_interest_only_raised', 'an interest can be raised, never lowered');
  END IF;
  NEW.declared_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER said_by_holder BEFORE INSERT ON interest FOR EACH ROW EXECUTE FUNCTION interest_in();

-- The chair rules on a doubt; on the chair's own, another seat. Nobody rules on their own.
CREATE FUNCTION interest_ruling_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s seat; i interest; of_seat seat;
BEGIN
  s := seat_acts(NEW.ruled_by);
  SELECT * INTO i FROM interest WHERE id = NEW.interest_id;
  SELECT * INTO of_seat FROM seat WHERE id = i.seat_id;
  PERFORM sitting_is_open((SELECT sitting_id FROM sitting_application WHERE application_id = i.application_id), false);
  IF s.panel_id IS DISTINCT FROM of_seat.panel_id OR s.id = of_seat.id OR NOT (s.is_chair OR of_seat.is_chair) THEN
    PERFORM panel_refuses('ck_interest_ruling_by_chair',
                          'the chair rules on a doubt, and another seat on the chair''s own', '42501');
  END IF;
  IF i.consequence <> 'ask' OR EXISTS (SELECT FROM interest o WHERE o.application_id = i.application_id
                                       AND o.seat_id = i.seat_id AND o.version > i.version) THEN
    PERFORM panel_refuses('ck_interest_ruling_asked', 'a ruling answers a doubt that stands');
  END IF;
  IF seat_consequence(i.application_id, s.id) IN ('no_scoring', 'out_of_room') THEN
    PERFORM panel_refuses('ck_interest_ruling_unconflicted', 'who is out of an application rules on nothing in it');
  END IF;
  NEW.ruled_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER ruled_by_chair BEFORE INSERT ON interest_ruling FOR EACH ROW EXECUTE FUNCTION interest_ruling_in();
"""

SCORES = """
-- Everything that must hold before a reader's scores may be saved or locked.
CREATE FUNCTION assignment_may_score(assignment_id uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE a assignment; s seat; said text;
BEGIN
  SELECT * INTO a FROM assignment WHERE id = assignment_id;
  s := seat_acts(a.seat_id);
  PERFORM sitting_is_open((SELECT sitting_id FROM sitting_application WHERE application_id = a.application_id), false);
  said := seat_consequence(a.application_id, a.seat_id);
  IF said IS NULL OR said NOT IN ('none', 'note_only') THEN
    PERFORM panel_refuses('ck_score_no_interest', 'a reader says first what ties them to it; a tied one scores not');
  END IF;
  IF has_stake(a.application_id, s.person_id) THEN
    PERFORM panel_refuses('ck_score_no_stake', 'nobody scores an application of their own group');
  END IF;
  IF EXISTS (SELECT FROM score_lock l WHERE l.assignment_id = a.id) THEN
    PERFORM panel_refuses('ck_score_not_locked', 'the scores are locked');
  END IF;
  IF EXISTS (SELECT FROM score_release r WHERE r.assignment_id = a.id) THEN
    PERFORM panel_refuses('ck_score_not_released', 'the reader let the panel go on without them');
  END IF;
END $$;

CREATE FUNCTION score_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assignment_may_score(NEW.assignment_id);
  IF NEW.version <> 1 + coalesce((SELECT max(o.version) FROM score o WHERE o.assignment_id = NEW.assignment_id
                                  AND o.criterion_id = NEW.criterion_id), 0) THEN
    PERFORM panel_refuses('ck_score_next_version', 'the versions of a score follow one another');
  END IF;
  IF NOT EXISTS (SELECT FROM assignment a JOIN application p ON p.id = a.application_id
                 JOIN criterion c ON c.round_id = p.round_id WHERE a.id = NEW.assignment_id AND c.id = NEW.criterion_id)
  THEN
    PERFORM panel_refuses('ck_score_own_criterion', 'an application is scored by the criteria of its round');
  END IF;
  NEW.saved_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER may_score BEFORE INSERT ON score FOR EACH ROW EXECUTE FUNCTION score_in();

CREATE FUNCTION score_lock_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE sealed text;
BEGIN
  PERFORM assignment_may_score(NEW.assignment_id);
  IF EXISTS (SELECT FROM assignment a JOIN application p ON p.id = a.application_id
             JOIN criterion c ON c.round_id = p.round_id WHERE a.id = NEW.assignment_id
             AND NOT EXISTS (SELECT FROM score s WHERE s.assignment_id = a.id AND s.criterion_id = c.id)) THEN
    PERFORM panel_refuses('ck_score_lock_complete', 'every criterion has a score before they are locked');
  END IF;
  SELECT NEW.assignment_id::text || E'\\n'
         || string_agg(c.position || ':' || s.points || ':' || encode(sha256(convert_to(s.reason, 'UTF8')), 'hex'),
                       E'\\n' ORDER BY c.position)
    INTO sealed
    FROM (SELECT DISTINCT ON (criterion_id) criterion_id, points, reason FROM score
          WHERE assignment_id = NEW.assignment_id ORDER BY criterion_id, version DESC) s
    JOIN criterion c ON c.id = s.criterion_id;
  IF NEW.commitment IS DISTINCT FROM sha256(NEW.salt || convert_to(sealed, 'UTF8')) THEN
    PERFORM panel_refuses('ck_score_lock_seals', 'the seal is not of the scores that are locked');
  END IF;
  NEW.locked_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER may_lock BEFORE INSERT ON score_lock FOR EACH ROW EXECUTE FUNCTION score_lock_in();

CREATE FUNCTION score_release_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE a assignment;
BEGIN
  SELECT * INTO a FROM assignment WHERE id = NEW.assignment_id;
  PERFORM seat_acts(a.seat_id);
  PERFORM sitting_is_open((SELECT sitting_id FROM sitting_application WHERE application_id = a.application_id), false);
  IF EXISTS (SELECT FROM score_lock l WHERE l.assignment_id = a.id) THEN
    PERFORM panel_refuses('ck_score_not_locked', 'the scores are locked');
  END IF;
  NEW.released_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER may_release BEFORE INSERT ON score_release FOR EACH ROW EXECUTE FUNCTION score_release_in();

-- Two reminders, the second at least twelve hours after the first, neither in the future.
CREATE FUNCTION score_reminder_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.sent_at > clock_timestamp()
     OR NEW.number <> 1 + (SELECT count(*) FROM score_reminder r WHERE r.assignment_id = NEW.assignment_id)
     OR NEW.sent_at < (SELECT max(r.sent_at) + interval '12 hours' FROM score_reminder r
                       WHERE r.assignment_id = NEW.assignment_id)
     OR NEW.sent_at < (SELECT a.assigned_at FROM assignment a WHERE a.id = NEW.assignment_id) THEN
    PERFORM panel_refuses('ck_score_reminder_apart', 'reminders follow one another, twelve hours apart');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER apart BEFORE INSERT ON score_reminder FOR EACH ROW EXECUTE FUNCTION score_reminder_in();

-- The chair of its panel says it, once, while no score is saved: nobody can trim the pot to what they have read.
CREATE FUNCTION sitting_pot_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s seat;
BEGIN
  s := seat_acts(NEW.set_by);
  PERFORM sitting_is_open(NEW.sitting_id, true);
  IF NOT s.is_chair OR s.panel_id IS DISTINCT FROM sitting_panel(NEW.sitting_id) THEN
    PERFORM panel_refuses('ck_sitting_pot_by_chair', 'the chair says how much goes into a sitting', '42501');
  END IF;
  IF EXISTS (SELECT FROM score c JOIN assignment a ON a.id = c.assignment_id
             JOIN sitting_application p ON p.application_id = a.application_id WHERE p.sitting_id = NEW.sitting_id) THEN
    PERFORM panel_refuses('ck_sitting_pot_before_scores', 'the pot of a sitting is set before anybody scores');
  END IF;
  NEW.set_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER set_by_chair BEFORE INSERT ON sitting_pot FOR EACH ROW EXECUTE FUNCTION sitting_pot_in();
"""
