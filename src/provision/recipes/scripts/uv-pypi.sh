#!/bin/sh
# uv's program is a Python package too. In a place of its own: the distribution's Python is not pip's to change.
python3 -m venv /usr/local/lib/uv
/usr/local/lib/uv/bin/pip install --quiet --disable-pip-version-check uv
ln -sf /usr/local/lib/uv/bin/uv /usr/local/lib/uv/bin/uvx /usr/local/bin/
