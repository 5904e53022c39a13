"""Plain raw readings to frames of reads.curated, in columns.

A reading is plain when it was scanned (`connectors/scan`), its device is known, and one service of that device covers all of it; then
what `state/routing.py` makes of it is its own bytes, cut and put together anew. Every other record is routed one by one, and what comes of
that is put between the others, where it belongs.
"""

from connectors.curate.services import SLOW, Services
from connectors.curate.write import Placed, prepare

__all__ = ["SLOW", "Placed", "Services", "prepare"]
