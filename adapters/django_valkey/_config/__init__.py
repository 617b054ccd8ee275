"""Django's settings, read and checked.

django_settings   reads `django.conf.settings`
class_paths       the classes that settings may name
registry          the containers of this process
alias_rules       rules between aliases
session_reads     reads sessions from the primary
deprecated_names  names that are accepted with a warning
"""
