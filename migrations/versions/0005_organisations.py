"""Groups and organisations, who acts for them, their bank accounts, the checks made on them, and hosts.

A few people with no constitution are an organisation like any other (`informal`); they are paid through a host.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bank accounts and checks are rows that stand; a change is a new row."""
    op.execute("""
    CREATE TABLE organisation (
      id         uuid PRIMARY KEY,
      name       text NOT NULL CONSTRAINT ck_organisation_name CHECK (length(btrim(name)) BETWEEN 2 AND 200),
      kind       text NOT NULL CONSTRAINT ck_organisation_kind CHECK (kind IN
                   ('informal', 'constituted', 'charity', 'company', 'cic', 'society', 'public_body', 'other')),
      org_id     text CONSTRAINT uq_organisation_org_id UNIQUE,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX ix_organisation_name ON organisation (lower(name));
    GRANT SELECT, INSERT ON organisation TO fund_common;
    GRANT UPDATE (name, kind, org_id) ON organisation TO fund_common;

    CREATE TABLE membership (
      id              uuid PRIMARY KEY,
      organisation_id uuid NOT NULL CONSTRAINT fk_membership_organisation REFERENCES organisation,
      person_id       uuid NOT NULL CONSTRAINT fk_membership_person REFERENCES person,
      may_sign        boolean NOT NULL DEFAULT true,
      joined_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
      ended_at        timestamptz
    );
    CREATE UNIQUE INDEX uq_membership_current ON membership (organisation_id, person_id) WHERE ended_at IS NULL;
    CREATE INDEX ix_membership_person ON membership (person_id) WHERE ended_at IS NULL;
    GRANT SELECT, INSERT ON membership TO fund_common;
    GRANT UPDATE (may_sign, ended_at) ON membership TO fund_common;

    -- Numbers are kept sealed (field key), shown by their last four digits, and compared by a keyed fingerprint.
    CREATE TABLE bank_account (
      id              uuid PRIMARY KEY,
      organisation_id uuid NOT NULL CONSTRAINT fk_bank_account_organisation REFERENCES organisation,
      holder          text NOT NULL CONSTRAINT ck_bank_account_holder CHECK (length(btrim(holder)) BETWEEN 2 AND 140),
      sealed          bytea NOT NULL,
      last_four       text NOT NULL CONSTRAINT ck_bank_account_last_four CHECK (last_four ~ '^[0-9]{4}$'),
      fingerprint     bytea NOT NULL CONSTRAINT ck_bank_account_fingerprint CHECK (octet_length(fingerprint) = 32),
      added_by        uuid NOT NULL,
      added_at        timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX ix_bank_account_organisation ON bank_account (organisation_id, added_at);
    CREATE INDEX ix_bank_account_fingerprint ON bank_account (fingerprint);
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON bank_account FOR EACH ROW EXECUTE FUNCTION refuse_change();
    GRANT SELECT, INSERT ON bank_account TO fund_common;

    CREATE TABLE organisation_check (
      id              uuid PRIMARY KEY,
      organisation_id uuid NOT NULL CONSTRAINT fk_organisation_check_organisation REFERENCES organisation,
      bank_account_id uuid CONSTRAINT fk_organisation_check_bank_account REFERENCES bank_account,
      kind            text NOT NULL CONSTRAINT ck_organisation_check_kind
                        CHECK (kind IN ('identity', 'bank_account', 'sanctions')),
      passed          boolean NOT NULL,
      source          text NOT NULL,
      made_by         uuid NOT NULL,
      made_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_on      date NOT NULL,
      CONSTRAINT ck_organisation_check_account CHECK ((kind = 'bank_account') = (bank_account_id IS NOT NULL))
    );
    CREATE INDEX ix_organisation_check ON organisation_check (organisation_id, kind, made_at);
    CREATE INDEX ix_organisation_check_account ON organisation_check (bank_account_id);
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON organisation_check
      FOR EACH ROW EXECUTE FUNCTION refuse_change();
    GRANT SELECT, INSERT ON organisation_check TO fund_common;

    -- Whoever added an account to an organisation does not check it.
    CREATE FUNCTION organisation_check_other_hand() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM bank_account a WHERE a.id = NEW.bank_account_id
                 AND (a.added_by = NEW.made_by OR a.organisation_id <> NEW.organisation_id)) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_organisation_check_other_hand',
          MESSAGE = 'a bank account is checked by another person than the one who added it, for its own organisation';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER other_hand BEFORE INSERT ON organisation_check
      FOR EACH ROW EXECUTE FUNCTION organisation_check_other_hand();

    -- A host receives money for a group. Asked for by the group, agreed to by somebody who may sign for the host.
    CREATE TABLE host_agreement (
      id         uuid PRIMARY KEY,
      group_id   uuid NOT NULL CONSTRAINT fk_host_agreement_group REFERENCES organisation,
      host_id    uuid NOT NULL CONSTRAINT fk_host_agreement_host REFERENCES organisation,
      asked_by   uuid NOT NULL,
      asked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
      agreed_by  uuid,
      agreed_at  timestamptz,
      ended_at   timestamptz,
      CONSTRAINT ck_host_agreement_two CHECK (group_id <> host_id),
      CONSTRAINT ck_host_agreement_agreed CHECK ((agreed_by IS NULL) = (agreed_at IS NULL)),
      CONSTRAINT ck_host_agreement_other_hand CHECK (agreed_by <> asked_by)
    );
    CREATE UNIQUE INDEX uq_host_agreement_current ON host_agreement (group_id, host_id) WHERE ended_at IS NULL;
    CREATE INDEX ix_host_agreement_host ON host_agreement (host_id) WHERE ended_at IS NULL;
    GRANT SELECT, INSERT ON host_agreement TO fund_common;
    GRANT UPDATE (agreed_by, agreed_at, ended_at) ON host_agreement TO fund_common;

    -- What ties one of the fund's own people to an organisation; no release or batch passes their hands.
    CREATE TABLE staff_interest (
      id              uuid PRIMARY KEY,
      person_id       uuid NOT NULL CONSTRAINT fk_staff_interest_person REFERENCES person,
      organisation_id uuid NOT NULL CONSTRAINT fk_staff_interest_organisation REFERENCES organisation,
      declared_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      ended_at        timestamptz
    );
    CREATE UNIQUE INDEX uq_staff_interest_current ON staff_interest (person_id, organisation_id)
      WHERE ended_at IS NULL;
    GRANT SELECT, INSERT ON staff_interest TO fund_common;
    GRANT UPDATE (ended_at) ON staff_interest TO fund_common;
    """)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("""
    DROP TABLE staff_interest, host_agreement, organisation_check, bank_account, membership, organisation;
    DROP FUNCTION organisation_check_other_hand();
    """)
