"""Map spiking neural networks onto crossbar hardware and measure how good the mapping is.

Nothing is imported here: ``from optmap.instance import load`` and friends load only what they need.
"""

import os
import sys

__version__ = "0.1.0"

if sys.argv[:1] == ["-m"]:  # ``python -m optmap...``: libraries fail without a working directory
    try:
        os.getcwd()
    except FileNotFoundError:
        sys.exit("error: the working directory: found nothing, it was removed")
