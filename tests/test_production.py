"""A production whose database holds a person of the demo does not start: everyone knows how to be that person."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest

from fund.embedded import postgres
from tests.test_settings import SAFE

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def emptied(server, template):
    """A migrated database of its own."""
    name = f"production_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER fund_owner")
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_production_starts_without_a_demo_person_and_refuses_with_one(server, emptied):
    environment = {name: value for name, value in os.environ.items() if name.upper() not in {*map(str.upper, SAFE)}}
    environment |= {name.upper(): str(value) for name, value in SAFE.items()}
    environment |= {"DATABASE_URL": postgres.role_url(server, emptied, "fund_app"), "PYTHONPATH": str(ROOT)}

    def start() -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-W", "ignore", "-c", "from fund.app import create_app; create_app()"],
                              cwd=ROOT, env=environment, text=True, capture_output=True, timeout=60)

    assert start().returncode == 0
    with psycopg.connect(postgres.superuser_url(server, emptied)) as connection:
        connection.execute("INSERT INTO person (id, name, email, is_demo) "
                           "VALUES (gen_random_uuid(), 'Amina', 'amina@example.org', true)")
    refused = start()
    assert refused.returncode == 1
    assert "Production refuses to start: its database holds a person of the demo" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_web_server_refuses_to_start_with_the_key_of_the_log(tmp_path):
    done = subprocess.run([sys.executable, "-m", "gunicorn", "--config", "python:fund.web.server", "--check-config",
                           "fund.app:create_app()"], cwd=ROOT, text=True, capture_output=True, timeout=60,
                          env={**os.environ, "LOG_KEY_FILE": str(tmp_path / "key"), "PYTHONPATH": str(ROOT)})
    assert done.returncode != 0
    assert "The web server must not know LOG_KEY_FILE" in done.stderr


def test_no_page_has_a_way_to_the_key_of_the_log():
    """Whatever reads the key is the publisher's: no view, query or form calls it."""
    callers = [path for path in (ROOT / "fund").rglob("*.py")
               if "our_signers" in path.read_text() and not path.is_relative_to(ROOT / "fund/transparency/actions")]
    assert [str(path.relative_to(ROOT)) for path in callers] == ["fund/transparency/cli.py"]
