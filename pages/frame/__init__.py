"""The frame around every page: who is signed in, where they can go, and how a refusal looks."""
