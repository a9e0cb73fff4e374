"""Spike counts by simulation: input codes, dynamics, Euler steps."""
