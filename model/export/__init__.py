"""Trained networks as files of other programs: graphs, SONATA, NIR, and scripts for other simulators."""

from model.export.bundle import Bundle, bundle_of
from model.export.formats import FORMATS, ExportError, export
from model.export.quantize import Grid, quantized, resolutions

__all__ = ["FORMATS", "Bundle", "ExportError", "Grid", "bundle_of", "export", "quantized", "resolutions"]
