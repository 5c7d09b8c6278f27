"""Fine-tuning of the network that animecut cuts with."""
