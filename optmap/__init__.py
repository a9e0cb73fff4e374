"""Map spiking neural networks onto crossbar hardware and measure how good the mapping is.

Nothing is imported here: ``from optmap.instance import load`` and friends load only what they need.
"""

__version__ = "0.1.0"
