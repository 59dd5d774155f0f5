"""A finished run in the forms that training libraries read: one module for each."""
