"""Pages of the part `dashboards`."""

from flask import Blueprint

blueprint = Blueprint("dashboards", __name__)
