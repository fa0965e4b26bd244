"""In which order candidates stand, and where the list is cut."""
