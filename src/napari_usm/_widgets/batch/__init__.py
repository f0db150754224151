"""The dock "Batch sharpening": files and folders, by the recipe of another dock."""
