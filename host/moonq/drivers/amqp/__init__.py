"""The driver that keeps messages in RabbitMQ."""
