"""How far two runs came to the same: files laid side by side; places are told, values are not."""
