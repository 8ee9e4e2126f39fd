"""The runtime API's player and the development server of scripts/, for the bench."""

from . import common  # noqa: F401  (it has scripts/ looked in)

from cold_start import development_server, gateway_event, http  # noqa: F401
from runtime_api import Broken, Function  # noqa: F401
