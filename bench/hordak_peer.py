"""django-hordak, a double-entry ledger of the same sort, driven in a process and a virtual environment of its own.

`bench/ledger.py` makes the environment and starts this file with a libpq address. Each line "seconds" on standard input
is answered by a line "how many a second": transfers between two accounts, each in a transaction of its own, through
hordak's own `transfer_to`, with its checks in the database.
"""

import sys
import time

#: What stands in the environment; pinned, so that the peer is the same in every run.
REQUIREMENTS = ("django==5.2.8", "django-hordak==2.0.0", "psycopg[binary]==3.2.13")


def main(host: str, database: str) -> None:
    """Make the tables, say "ready", and post as long as each line asks."""
    import django  # type: ignore[import-not-found]
    from django.conf import settings  # type: ignore[import-not-found]
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "mptt", "hordak"],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": database, "USER": "postgres",
                               "HOST": host}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True, DEFAULT_CURRENCY="GBP", CURRENCIES=["GBP"])
    django.setup()
    from django.core.management import call_command  # type: ignore[import-not-found]
    from django.db import transaction  # type: ignore[import-not-found]
    from hordak.models import Account  # type: ignore[import-not-found]
    from moneyed import Money  # type: ignore[import-not-found]
    call_command("migrate", verbosity=0)
    one, other = (Account.objects.create(name=name, type="AS", code=code, currencies=["GBP"])
                  for name, code in (("One", "1"), ("Other", "2")))
    penny = Money("0.01", "GBP")
    print("ready", flush=True)
    for line in sys.stdin:
        done, start = 0, time.perf_counter()
        while (taken := time.perf_counter() - start) < float(line):
            with transaction.atomic():
                one.transfer_to(other, penny)
            done += 1
        print(done / taken, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
