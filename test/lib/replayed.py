# SPDX-License-Identifier: BSD-2-Clause
"""Every decision of a daemon under test replayed under the settings and tables that it was made by:
before they change, and when the daemon ends. A session keeps what it began with, and tables are read
a moment after they were written: what was decided within seconds of a change may have been decided
by what was there before, and need be the same under one of the two only. For test/tools/replayed;
GATEPOST_REPLAYED names the file that findings go to, a line of JSON each."""
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

FINDINGS = os.environ.get('GATEPOST_REPLAYED')
LATE = 10  # seconds that a state still decides after its end


class State:
    """A copy of what stands in a daemon's folder, its settings and its tables, to replay under."""

    def __init__(self, daemon, control, environment):
        self.control, self.environment = control, environment
        self.folder = tempfile.mkdtemp()
        self.ended = time.time()
        self.broken = False  # the daemon went on with it, in its own way; nobody else can
        for place, folders, names in os.walk(daemon.folder):
            folders[:] = [name for name in folders if place != daemon.folder or name != 'run']
            to = place.replace(daemon.folder, self.folder, 1)
            os.makedirs(to, exist_ok=True)
            for name in names:
                if not os.path.isfile(place + '/' + name):
                    continue
                with open(place + '/' + name, 'rb') as handle:
                    text = handle.read()
                with open(to + '/' + name, 'wb') as handle:
                    handle.write(text.replace(daemon.folder.encode(), self.folder.encode()))
        self.file = self.folder + '/gatepost.conf'
        with open(self.file, encoding='utf-8', errors='surrogateescape') as handle:
            lines = handle.read().split('\n')
        # where the daemon keeps it by these settings
        self.history = next((line.partition('sqlite:')[2].strip() for line in lines
                             if line.startswith('history =')), '').replace(self.folder, daemon.folder)
        self.text = '\n'.join('history = sqlite:%s/replayed.db' % self.folder
                              if line.startswith('history =') else line for line in lines)
        with open(self.file, 'w', encoding='utf-8', errors='surrogateescape') as handle:
            handle.write(self.text)

    def replay(self, history, ids):
        """What replay says of the rows IDS of HISTORY; None: these settings are broken."""
        copy = self.folder + '/replayed.db'
        shutil.copyfile(history, copy)
        with contextlib.closing(sqlite3.connect(copy)) as file:
            file.execute('CREATE TEMP TABLE wanted(id INTEGER PRIMARY KEY)')
            file.executemany('INSERT INTO wanted VALUES(?)', ((one,) for one in ids))
            file.execute('DELETE FROM decision WHERE id NOT IN (SELECT id FROM wanted)')
            file.commit()
        done = subprocess.run([self.control, 'replay', '-c', self.file, '--json'],
                              capture_output=True, text=True, env=self.environment)
        os.unlink(copy)
        if done.returncode == 78:
            self.broken = True
            return None
        return {'exit': done.returncode, 'said': done.stderr[-2000:],
                **(json.loads(done.stdout) if done.returncode in (0, 1) else {'changes': ()})}

    def changed(self, history, ids):
        """Those of the rows that are others under it: replay names a few at a time."""
        found, left = set(), set(ids)
        while left:
            report = self.replay(history, left) or {'changes': ()}
            named = {example['id'] for one in report['changes'] for example in one['examples']}
            if not named & left:
                break
            found |= named
            left -= named
        return found

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def rows_behind(path, copy, after):
    """Copies the rows behind AFTER: {id: when, s}."""
    with contextlib.closing(sqlite3.connect('file:%s?mode=ro' % path, uri=True)) as source, \
            contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute('DELETE FROM decision WHERE id <= ?', (after,))
        target.commit()
        target.execute('PRAGMA journal_mode = DELETE')
        return {row: at / 1e6 for row, at in target.execute('SELECT id, at FROM decision')}


def wait_for_rows(daemon):
    """Until those that gather are written."""
    end = time.monotonic() + 5
    while daemon.process and daemon.process.poll() is None and time.monotonic() < end:
        said = daemon.control('status', '--json')
        if said.returncode or not (json.loads(said.stdout).get('history') or {}).get('waiting'):
            break
        time.sleep(0.1)


def settle(report, state, former, history, rows):
    """Takes out of REPORT what is the same under a former state that may have decided it."""
    left, untold = state.changed(history, rows), set()
    for one in reversed(former):
        mine = {row for row in left if rows[row] <= one.ended + LATE}
        if one.broken:
            untold |= mine
        else:
            left -= mine - one.changed(history, mine)
    untold &= left
    left -= untold
    report['same'] += report['changed'] - len(left) - len(untold)
    report['changed'] = len(left)
    report['changes'] = (state.replay(history, left) or {'changes': []})['changes'] if left else []
    if untold:
        report['unjudged'] += len(untold)
        report['reasons']['settings or a table were broken then'] = len(untold)


def judge(daemon, control, environment):
    """Replays what was decided since this was asked last."""
    if not FINDINGS or not os.path.exists(daemon.file):
        return
    wait_for_rows(daemon)
    state = State(daemon, control, environment)
    if not os.path.exists(state.history):
        state.remove()
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(sqlite3.Error):
        history = folder + '/history.db'
        rows = rows_behind(state.history, history, daemon.replayed.get(state.history, 0))
        former = list(daemon.states)
        report = state.replay(history, rows) if rows else None
        sound = [one for one in former if not one.broken]
        if state.broken and sound:
            report = sound[-1].replay(history, rows)
        if rows:
            daemon.replayed[state.history] = max(rows)
        if report:
            if report.get('changed'):
                settle(report, sound[-1] if state.broken else state, [*former, state], history, rows)
            with open(FINDINGS, 'a', encoding='utf-8') as handle:
                handle.write(json.dumps({'program': os.path.basename(sys.argv[0]),
                                         'settings': state.text, **report}) + '\n')
    daemon.states.append(state)
    while len(daemon.states) > 5:
        daemon.states.pop(0).remove()
