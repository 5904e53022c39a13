"""Who may change a price, and how: editions of tariffs from draft to withdrawal, and what they would charge."""
