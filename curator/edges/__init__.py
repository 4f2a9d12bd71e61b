"""The edges: each third-party program or package is touched in one file here, imported or started when used."""
