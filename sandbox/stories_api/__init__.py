"""The Stories API on the wire: a listener, its endpoints and answers, its OpenAPI document."""
