"""Pages of the part `neighbourhoods`."""

from flask import Blueprint

blueprint = Blueprint("neighbourhoods", __name__)
