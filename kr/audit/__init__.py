"""Policy on unsafe keywords: what is removed from a reply, and what is done when the lists cannot be read."""
