"""The runtime API's player and the development server of scripts/, for the bench."""

import sys

from .common import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from cold_start import development_server, gateway_event, http  # noqa: E402, F401
from runtime_api import Broken, Function  # noqa: E402, F401
