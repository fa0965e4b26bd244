"""The web application: pages and API."""
