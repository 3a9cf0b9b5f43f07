"""Pages of the part `applications`: what a round asks for, writing and following one's own, and the officers' queue."""

from flask import Blueprint

blueprint = Blueprint("applications", __name__)

from fund.applications.views import applicant, rounds, staff, writing  # noqa: E402, F401  they add their routes
