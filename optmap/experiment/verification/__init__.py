"""A finished run checked again: nothing that a row says is believed, all is derived anew."""
