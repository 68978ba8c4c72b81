"""Reads a JSON array of [pattern, text] and answers what SQLite's GLOB says of each, as a JSON array of 0 and 1."""
import json
import sqlite3
import sys

db = sqlite3.connect(":memory:")
pairs = json.load(sys.stdin)
json.dump([db.execute("select ? glob ?", (text, pattern)).fetchone()[0] for pattern, text in pairs], sys.stdout)
