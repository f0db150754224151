"""The dock "Sharpness lab": numbers and curves of an image and its result."""
