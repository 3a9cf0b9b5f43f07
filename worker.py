"""The worker: `rq worker` for the fund's one queue, and the sweeper that rings again for what was lost."""
