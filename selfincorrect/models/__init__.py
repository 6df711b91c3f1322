"""Rule prepare_model, and asking a prepared model through the response store."""
