"""The star schema of i2b2 warehouses, presented as the Common Data Model's tables."""
