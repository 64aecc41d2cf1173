"""The command `wardbook`: parses, wires, calls, and maps errors to exit codes; nothing else."""
