"""The terms of the equation, each on one block of pixels.

``sharpened = image + amount * weight * threshold(detail)``

Blocks arrive in the working type, with whatever neighbours their caller has to
give; what lies beyond the block's own edge is `mode`'s. Nothing is checked here.
"""
