"""All decisions together: decomposition, clustering, binding and static orders in one model."""
