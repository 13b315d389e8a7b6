"""The integration-coaching assistant."""
