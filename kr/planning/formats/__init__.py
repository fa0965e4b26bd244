"""The formats of keyword files, one a module."""
