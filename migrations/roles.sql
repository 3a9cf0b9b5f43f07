-- The bootstrap step: run once by a superuser on a new server, before any migration. Safe to run again.
-- fund_owner   owns every table; nobody signs in as it; migrations act as it.
-- fund_migrator signs in to migrate, and takes on fund_owner.
-- fund_common  what every acting role may do.
-- fund_app     the web and worker processes sign in as this.
-- fund_panel   fund_app takes this on (SET LOCAL ROLE) only while a panel's seat acts: the one role that may write
--              scores, locks, interests and decisions.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fund_owner') THEN CREATE ROLE fund_owner NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fund_migrator') THEN CREATE ROLE fund_migrator LOGIN NOINHERIT; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fund_common') THEN CREATE ROLE fund_common NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fund_app') THEN CREATE ROLE fund_app LOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fund_panel') THEN CREATE ROLE fund_panel NOLOGIN; END IF;
END $$;
GRANT fund_owner TO fund_migrator WITH INHERIT FALSE, SET TRUE;
GRANT fund_common TO fund_app WITH INHERIT TRUE, SET FALSE;
GRANT fund_common TO fund_panel WITH INHERIT TRUE, SET FALSE;
GRANT fund_panel TO fund_app WITH INHERIT FALSE, SET TRUE;
