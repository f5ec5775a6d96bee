"""Models of pupils in schools: numeric kernels on arrays of sufficient statistics."""
