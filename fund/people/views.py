"""Pages of the part `people`."""

from flask import Blueprint

blueprint = Blueprint("people", __name__)
