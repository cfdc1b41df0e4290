"""One function on many items: :mod:`.parallel_map` in processes, :mod:`.dask_cluster` on a cluster."""
