"""Pages of the part `portal`."""

from flask import Blueprint

blueprint = Blueprint("portal", __name__)
