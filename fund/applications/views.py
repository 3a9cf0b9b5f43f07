"""Pages of the part `applications`."""

from flask import Blueprint

blueprint = Blueprint("applications", __name__)
