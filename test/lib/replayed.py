# SPDX-License-Identifier: BSD-2-Clause
"""Every decision of a daemon under test replayed under the settings and tables that it was made by:
before they change, and when the daemon ends. For test/tools/replayed; GATEPOST_REPLAYED names the
file that findings go to, a line of JSON each."""
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

FINDINGS = os.environ.get('GATEPOST_REPLAYED')


def recent(path, copy, after):
    """Copies the rows behind AFTER; the last id."""
    source = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    target = sqlite3.connect(copy)
    source.backup(target)
    source.close()
    last, = target.execute('SELECT ifnull(max(id), 0) FROM decision').fetchone()
    target.execute('DELETE FROM decision WHERE id <= ?', (after,))
    target.commit()
    target.execute('PRAGMA journal_mode = DELETE')
    target.close()
    return last


def judge(daemon, control, environment):
    """Replays what was decided since this was asked last."""
    if not FINDINGS or not os.path.exists(daemon.history) or not os.path.exists(daemon.file):
        return
    if daemon.process:
        time.sleep(0.6)  # the rows that gather
    folder = tempfile.mkdtemp()
    try:
        with contextlib.suppress(sqlite3.Error):
            before = daemon.replayed
            daemon.replayed = recent(daemon.history, folder + '/history.db', before)
            if daemon.replayed == before:
                return
            with open(daemon.file, encoding='utf-8', errors='surrogateescape') as handle:
                text = re.sub('(?m)^history = .*$', 'history = sqlite:%s/history.db' % folder,
                              handle.read())
            with open(folder + '/gatepost.conf', 'w', encoding='utf-8',
                      errors='surrogateescape') as handle:
                handle.write(text)
            done = subprocess.run([control, 'replay', '-c', folder + '/gatepost.conf', '--json'],
                                  capture_output=True, text=True, env=environment)
            if done.returncode == 78:
                return  # settings that a test has broken: nothing was decided by them
            found = {'program': os.path.basename(sys.argv[0]), 'exit': done.returncode,
                     'said': done.stderr[-2000:], 'settings': text,
                     **json.loads(done.stdout or '{}')}
            with open(FINDINGS, 'a', encoding='utf-8') as handle:
                handle.write(json.dumps(found) + '\n')
    finally:
        shutil.rmtree(folder, ignore_errors=True)
