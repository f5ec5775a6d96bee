"""Counties read from the workbooks, folders and other layouts in which offices keep them."""

from toolkit.data.reading.loading import list_counties, load_counties, load_county, load_every_county

__all__ = ["list_counties", "load_counties", "load_county", "load_every_county"]
