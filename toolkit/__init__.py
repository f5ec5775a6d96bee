"""Junheng (均衡): research reports on the quality and balance of compulsory education in China."""

__distribution__ = "junheng"
__version__ = "0.1.0"
