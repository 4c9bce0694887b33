"""Ways to correct a classifier's attention, one file each."""

from study.interfaces.interface import Asked, Guides, Interface, Verdict, Words
from study.interfaces.registry import DIALOGUE, OURS, interface, interfaces

__all__ = [
    "DIALOGUE",
    "OURS",
    "Asked",
    "Guides",
    "Interface",
    "Verdict",
    "Words",
    "interface",
    "interfaces",
]
