"""Pages of the part `people`."""

from flask import Blueprint

from fund.people import queries
from fund.web import access

blueprint = Blueprint("people", __name__)

access.load_person_with(queries.signed_in)
