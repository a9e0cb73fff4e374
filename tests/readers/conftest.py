"""The fixtures that write NIR files."""

from nir_files import in_process, lif_fixture, write_nir

__all__ = ["in_process", "lif_fixture", "write_nir"]
