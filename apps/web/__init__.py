"""The study in the browser: the server and its routes, the worker, the pages."""
