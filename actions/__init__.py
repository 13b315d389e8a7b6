"""The Rasa action server: read, call one service, speak."""
