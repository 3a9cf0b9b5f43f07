"""Pages of the part `endowment`."""

from flask import Blueprint

blueprint = Blueprint("endowment", __name__)
