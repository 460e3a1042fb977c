"""The process that opens what strangers packed: workbooks and archives.

It knows nothing of Django or of the database, is given no environment, takes the file as its
standard input, and says in JSON lines what it found. `reading.unpacking` starts it and believes
none of it further than a text file.
"""
