"""The Stories API: a listener, the endpoints and answers, and the OpenAPI document."""
