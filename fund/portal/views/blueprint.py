"""The blueprint that the public pages stand on."""

from flask import Blueprint

blueprint = Blueprint("portal", "fund.portal")
