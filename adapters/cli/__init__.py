"""The command `passerelle`. `main` declares the commands; each command's work is a module imported when it runs."""
