"""Reports: parameters, execution of notebooks, findings, pages, records and the folder of a run."""
