"""What no schema can say of a configuration, section by section."""
