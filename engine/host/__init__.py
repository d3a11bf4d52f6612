"""What runs on this machine: the state folder, the servers that `hotline up` starts, and their supervision."""
