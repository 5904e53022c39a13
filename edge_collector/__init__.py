"""Reads meters over Modbus at the interval boundary, keeps every read until it is delivered. No Bytewax, ClickHouse or pandas here."""
