"""Pages of the part `allocations`."""

from flask import Blueprint

blueprint = Blueprint("allocations", __name__)
