"""What fails: the process killed, the disk full, the client hostile, another gateway gone. Nothing acknowledged may be lost."""
