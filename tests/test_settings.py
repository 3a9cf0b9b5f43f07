"""Settings: production refuses whatever belongs to a demo, each named; no report of a mistake prints a secret."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from fund.settings import DEMO_IBAN, DEMO_PHONE, Settings, wrong_settings

ROOT = Path(__file__).resolve().parent.parent

SAFE = {
    "fund_env": "production", "secret_key": "a" * 40, "field_key": "cHJvZHVjdGlvbidzIG93biBrZXkgb2YgMzIgYnl0ZXM=",
    "s3_secret_key": "the store's own secret", "demo_sign_in": False, "database_url": "postgresql://fund_app@db/fund",
    "redis_url": "redis://queue", "s3_endpoint_url": "https://s3.example.org",
    "bank_account_iban": "GB33BUKB20201555555555", "help_phone": "0161 234 5678",
    "source_url": "https://code.example.org/fund",
}


def test_production_starts_with_safe_settings():
    assert Settings(_env_file=None, **SAFE).fund_env == "production"


@pytest.mark.parametrize(("change", "named"), [
    ({"debug": True}, "DEBUG is on"),
    ({"secret_key": "only-for-the-demo-on-this-machine"}, "SECRET_KEY is the demo's"),
    ({"secret_key": "short"}, "shorter than 32 characters"),
    ({"secret_key": ""}, "shorter than 32 characters"),
    ({"field_key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}, "FIELD_KEY is the demo's"),
    ({"s3_secret_key": "only-for-the-demo-on-this-machine"}, "S3_SECRET_KEY is the demo's"),
    ({"bank_account_iban": DEMO_IBAN}, "BANK_ACCOUNT_IBAN is the demo's"),
    ({"help_phone": DEMO_PHONE}, "HELP_PHONE is the demo's"),
    ({"demo_sign_in": True}, "DEMO_SIGN_IN is on"),
    ({"database_url": ""}, "DATABASE_URL is not set"),
    ({"redis_url": ""}, "REDIS_URL is not set"),
    ({"s3_endpoint_url": ""}, "S3_ENDPOINT_URL is not set"),
    ({"source_url": ""}, "SOURCE_URL is not an address of the web"),
    ({"source_url": "javascript:alert(1)"}, "SOURCE_URL is not an address of the web"),
])
def test_production_refuses_what_belongs_to_a_demo_and_names_it(change, named):
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, **(SAFE | change))
    sentences = wrong_settings(refused.value)
    assert [named in sentence for sentence in sentences] == [True]
    assert sentences[0].count(";") == 0, "nothing else is named"


def test_production_names_everything_that_is_wrong_at_once():
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, fund_env="production", debug=True)
    [sentence] = wrong_settings(refused.value)
    assert sentence.startswith("Production refuses to start: ")
    assert sentence.count(";") == 10


@pytest.mark.parametrize("program", [["-m", "fund", "run"], ["-m", "gunicorn", "--check-config", "--preload",
                                                             "fund.app:create_app()"], ["worker.py"]])
def test_every_program_refuses_with_a_sentence_and_without_a_secret(program, tmp_path):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "FUND_ENV": "production", "DEBUG": "true",
                   "SECRET_KEY": "a secret that nobody may read", "HOME": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-W", "ignore", *program], cwd=ROOT, env=environment, text=True,
                           capture_output=True, timeout=60)
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert "Production refuses to start" in said
    assert "DEBUG is on" in said
    assert "nobody may read" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("field", "value"), [("port", "eight"), ("trusted_hosts", "fund.example.org"), ("debug", "?")])
def test_a_setting_of_the_wrong_shape_is_named(field, value, monkeypatch):
    monkeypatch.setenv(field.upper(), value)
    monkeypatch.setenv("SECRET_KEY", "a secret that nobody may read")
    monkeypatch.chdir("/")
    with pytest.raises(Exception) as refused:
        Settings(_env_file=None)
    [sentence] = wrong_settings(refused.value)
    assert field in sentence.lower()
    assert "nobody may read" not in sentence


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_database_address_is_taken_as_hosts_hand_it_out(scheme):
    given = Settings(_env_file=None, database_url=f"{scheme}://fund_app:a%2Fb@db:5433/fund?sslmode=require")
    assert given.database_url == "postgresql+psycopg://fund_app:a%2Fb@db:5433/fund?sslmode=require"


def test_the_example_lists_every_setting_with_a_line_that_explains_it():
    lines = (ROOT / ".env.example").read_text().splitlines()
    listed = {found[1].lower(): lines[number - 1] for number, line in enumerate(lines)
              if (found := re.match(r"#?([A-Z][A-Z0-9_]+)=", line))}
    assert set(listed) == set(Settings.model_fields)
    assert all(re.match(r"# \S.{10,}", above) for above in listed.values())
