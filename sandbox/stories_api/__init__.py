"""The Stories API: a listener, its endpoints and answers, and its OpenAPI document."""
