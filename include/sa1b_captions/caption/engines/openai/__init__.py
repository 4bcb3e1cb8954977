"""The openai engine: servers that speak the chat-completions protocol."""
