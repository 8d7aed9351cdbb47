"""What a run leaves behind while it trains, and what a frame of it shows."""
