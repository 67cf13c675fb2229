"""What attacks are played on: fresh labs, planted rows, defences that can be switched off, the referee."""
