"""pypsrp, authenticated as its users would do it, asks for the computer systems of a host.

    python authenticated.py CONTEXT.json

The context has `host`, `port`, `ca` and `how`: the keyword arguments of pypsrp's WSMan that say who calls. Ends with status 0
if they may, with 1 if the service did not take the caller for anybody, and otherwise with what went wrong.
"""

from __future__ import annotations

import json
import os
import sys
import xml.etree.ElementTree as ET

from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.wsman import WSMan

from cim import WSEN, class_uri


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        context = json.load(file)
    os.environ["NO_PROXY"] = context["host"]
    try:
        with WSMan(
            context["host"], port=context["port"], cert_validation=context["ca"], no_proxy=True, **context["how"]
        ) as wsman:
            wsman.enumerate(class_uri("CIM_ComputerSystem"), ET.Element(WSEN + "Enumerate"))
    except (AuthenticationError, WinRMTransportError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
