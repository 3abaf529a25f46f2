"""Small enti from practice with the right answers, and what runs them: see `runner` and `expectation`."""
