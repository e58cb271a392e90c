"""What a stack declares: resources, jobs, experiments; the project around them, and the program that is loaded."""
