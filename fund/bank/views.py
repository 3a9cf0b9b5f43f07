"""Pages of the part `bank`."""

from flask import Blueprint

blueprint = Blueprint("bank", __name__)
