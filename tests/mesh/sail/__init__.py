"""The Sail installer against doubles of Helm and of the operator."""
