"""The functions of the methods for the lab, made as the public ones of `api`."""

from napari_usm.api import public_function
from napari_usm.methods.dark_region_unsharp_mask import DarkRegionUnsharpMask
from napari_usm.methods.entropy_unsharp_mask import EntropyUnsharpMask
from napari_usm.methods.lin_unsharp_mask import LinUnsharpMask
from napari_usm.methods.polesel_unsharp_mask import PoleselUnsharpMask
from napari_usm.methods.wavelet_unsharp_mask import WaveletUnsharpMask

polesel_unsharp_mask = public_function("polesel_unsharp_mask", PoleselUnsharpMask)
dark_region_unsharp_mask = public_function(
    "dark_region_unsharp_mask", DarkRegionUnsharpMask
)
wavelet_unsharp_mask = public_function("wavelet_unsharp_mask", WaveletUnsharpMask)
entropy_unsharp_mask = public_function("entropy_unsharp_mask", EntropyUnsharpMask)
lin_unsharp_mask = public_function("lin_unsharp_mask", LinUnsharpMask)
