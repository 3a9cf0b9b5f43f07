"""Pages of the part `notifications`."""

from flask import Blueprint

blueprint = Blueprint("notifications", __name__)
