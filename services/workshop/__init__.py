"""The workshop area: demo data and guided walks."""
