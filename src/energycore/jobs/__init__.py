"""Jobs: what runs beside the requests, as plain loops over the services."""
