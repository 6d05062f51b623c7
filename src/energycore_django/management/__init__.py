"""What a project runs with `manage.py`."""
