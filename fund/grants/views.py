"""Pages of the part `grants`."""

from flask import Blueprint

blueprint = Blueprint("grants", __name__)
