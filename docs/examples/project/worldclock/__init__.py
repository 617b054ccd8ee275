"""A world clock: every time zone of the IANA database, its offset now and when that changes next."""
