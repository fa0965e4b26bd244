"""Alembic's migrations, one file a step; applied by `manage.py db upgrade`."""
