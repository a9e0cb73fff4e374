"""Published tables of other mappers: their networks and rules again, our values, bounds."""
