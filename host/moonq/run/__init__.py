"""The loops of one host: queues, consumers, workers, and the building that holds them."""
