"""The napari side: the only folder that knows napari, magicgui and Qt."""
