"""Where files arrive: from the inbox to typed rows, and what is still to be read."""
