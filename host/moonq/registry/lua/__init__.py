"""What is read in the Lua files of a project before it runs."""
