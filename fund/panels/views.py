"""Pages of the part `panels`."""

from flask import Blueprint

blueprint = Blueprint("panels", __name__)
