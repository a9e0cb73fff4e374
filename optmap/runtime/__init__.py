"""Admission at run time: applications come and go on one platform [S20]."""
