"""Tokens (JWT) for tests: of one key, made for nothing else, whose public half is in the manifests that use them."""

# ruff: noqa: E501 - a token is one word

_HEAD = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImFtYmllbnQifQ"
GOOD = f"{_HEAD}.eyJpc3MiOiJhbWJpZW50QHRlc3QiLCJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImdyb3VwcyI6WyJyZWFkZXJzIl19.z8eQIwGkuPDfb60FOXZfCOspKMc7yAo5Wqnw78qenH7Di2Zs7dUbXYwU5O8CMjkOdUCio1ceLQATL9zCUmKWPA"
"""From ambient@test for ann, in the group readers, good until 2100."""
OTHER = f"{_HEAD}.eyJpc3MiOiJhbWJpZW50QHRlc3QiLCJzdWIiOiJib2IiLCJleHAiOjQxMDI0NDQ4MDB9.nI0r6ETOdQWvTqt6F4i2xRxgGl0EvEPZkcsU8nVSKJxRRboyynBYh_Bx87RGinb5NWO7t1E-rMDjEB09-13jpA"
"""From ambient@test for bob, in no group, good until 2100."""
EXPIRED = f"{_HEAD}.eyJpc3MiOiJhbWJpZW50QHRlc3QiLCJzdWIiOiJhbm4iLCJleHAiOjE1Nzc4MzY4MDB9.oyCtAPpUxmskQtRWpqNwsVTMlhVcfigNf9VPNMcwh_tm4gvfD5Rw2yGp9asaKlM3YlOfS5a7EPABAZuL1IOB7w"
"""From ambient@test for ann, good until 2020."""
STRANGE = f"{_HEAD}.eyJpc3MiOiJzdHJhbmdlckB0ZXN0Iiwic3ViIjoiYW5uIiwiZXhwIjo0MTAyNDQ0ODAwfQ.cIx7dAwNWK5dgwkBRWsX04kPJoOCpGTfZpc3Wquwe1ioc6NGnwc89bdkw3LAu_GapX-6RTlXlmUXabdzhTaBRw"
"""From stranger@test for ann."""
FORGED = f"{_HEAD}.eyJpc3MiOiJhbWJpZW50QHRlc3QiLCJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDB9.prYBzrZkDeN6Bo_Tl-EQQUDJ_C0pEeW_O8-e0W-Si0SX6cZm8tjUaYR3AfqyRk0HHh8TQL6HyULUtJORhGEfLQ"
"""As from ambient@test for ann, signed with another key."""

AS_ANN, AS_BOB = {"authorization": f"Bearer {GOOD}"}, {"authorization": f"Bearer {OTHER}"}
AS_FORGER, TOO_LATE = {"authorization": f"Bearer {FORGED}"}, {"authorization": f"Bearer {EXPIRED}"}
AS_STRANGER, AS_NOBODY = {"authorization": f"Bearer {STRANGE}"}, {"authorization": "Bearer garbage"}
