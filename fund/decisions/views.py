"""Pages of the part `decisions`."""

from flask import Blueprint

blueprint = Blueprint("decisions", __name__)
