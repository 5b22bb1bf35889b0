"""What is known of the service that answers, for programs and for pages alike."""
