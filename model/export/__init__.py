"""Trained networks as files of other programs: graphs, SONATA, NIR, and scripts for other simulators."""

from model.export.bundle import Bundle, bundle_of
from model.export.errors import ExportError
from model.export.formats import FORMATS, export
from model.export.quantize import Grid, Resolution, quantized, resolutions

__all__ = [
    "FORMATS",
    "Bundle",
    "ExportError",
    "Grid",
    "Resolution",
    "bundle_of",
    "export",
    "quantized",
    "resolutions",
]
