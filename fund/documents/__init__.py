"""Files that people give: checked, kept in a store, and given back unchanged to those who may have them.

Words: *file* (one stored file with its row), *store* (an S3 bucket that nobody outside can open). It never runs or
shows what is in a file: everything goes out as an attachment. Who may have which file is decided by the part that it
serves.
"""
