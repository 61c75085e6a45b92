"""The year: an invented community's 2022, as its phones and its office wrote it down, and the figures made of it."""
