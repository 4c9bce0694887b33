"""Tables in; estimates, tests, figures and the report out."""
