"""The lecture's image networks, their data and their tasks, on the conv core that the Go network is built of."""
