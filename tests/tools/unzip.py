#!/usr/bin/env python3
"""unzip.py ZIP: the names, sizes, times and SHA-256 of all files in it, as JSON, as Python's zipfile reads them, in their order.

Fails where a check sum is wrong, a name is twice, or a name leads out of the folder that it is unpacked into."""
import hashlib
import json
import os
import sys
import tempfile
import zipfile

files = []
with zipfile.ZipFile(sys.argv[1]) as archive, tempfile.TemporaryDirectory() as folder:
    infos = archive.infolist()
    assert len({info.filename.casefold() for info in infos}) == len(infos), "a name is twice"
    for info in infos:
        name = info.filename
        assert os.path.basename(name) == name and not name.startswith("."), name
        assert info.flag_bits & 0x800 and info.compress_type == zipfile.ZIP_STORED, name
        path = archive.extract(info, folder)
        assert path == os.path.join(folder, name), (path, name)
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        files.append({"name": name, "size": info.file_size, "sha256": digest, "time": list(info.date_time)})
print(json.dumps(files))
