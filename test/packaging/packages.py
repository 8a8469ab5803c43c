# SPDX-License-Identifier: BSD-2-Clause
"""The packages of this tree, built once for all tests that want them."""
import fcntl
import hashlib
import os
import re
import shutil
import subprocess

BUILD = os.path.abspath(os.environ.get('GATEPOST_BUILD', 'build'))
TOP = os.path.abspath(os.path.dirname(__file__) + '/../..')
SHELF = BUILD + '/packages'
# What is not installed changes no package.
OUTSIDE = ('./test', './.git', './.ci')


def digest():
    """Of all that goes into a package."""
    total = hashlib.sha256()
    for folder, folders, names in os.walk(TOP):
        inner = './' + os.path.relpath(folder, TOP)
        folders[:] = sorted(name for name in folders if name != '__pycache__' and
                            not name.startswith('build') and
                            not os.path.exists('%s/%s/build.ninja' % (folder, name)) and
                            os.path.normpath(inner + '/' + name) not in
                            [os.path.normpath(path) for path in OUTSIDE])
        for name in sorted(names):
            total.update(('%s/%s\n' % (inner, name)).encode())
            with open(folder + '/' + name, 'rb') as handle:
                total.update(handle.read())
    return total.hexdigest()[:16]


def clean_environment(temporary):
    """For a build: without what the build of this test was told, on all cores."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ('CC', 'CFLAGS', 'LDFLAGS', 'DESTDIR', 'MAKEFLAGS')}
    return dict(kept, LC_ALL='C', DEB_BUILD_OPTIONS='parallel=%d' % os.cpu_count(),
                TMPDIR=temporary)


def missing():
    """Why no Debian package can be built here; empty when one can."""
    for program in ('dpkg-buildpackage', 'dpkg-checkbuilddeps', 'dh'):
        if not shutil.which(program):
            return program + ' is missing'
    done = subprocess.run(['dpkg-checkbuilddeps', TOP + '/packaging/debian/control'],
                          capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ''


def built():
    """The folder with the .deb and .changes files of this tree, and what the build said."""
    os.makedirs(SHELF, exist_ok=True)
    with open(SHELF + '/lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        out = SHELF + '/' + digest()
        if os.path.exists(out + '/log'):
            with open(out + '/log', encoding='utf-8', errors='replace') as handle:
                return out, handle.read()
        for name in os.listdir(SHELF):
            if name != 'lock':
                shutil.rmtree(SHELF + '/' + name)
        os.mkdir(out)
        done = subprocess.run([TOP + '/packaging/build-deb', out], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors='replace', env=clean_environment(SHELF))
        if done.returncode:
            raise RuntimeError('build-deb: exit %d\n%s' % (done.returncode, done.stdout[-4000:]))
        with open(out + '/log', 'w', encoding='utf-8') as handle:
            handle.write(done.stdout)
        return out, done.stdout


def file(pattern):
    """The one built file whose name matches."""
    out, _ = built()
    found = [name for name in sorted(os.listdir(out)) if re.search(pattern, name)]
    if len(found) != 1:
        raise RuntimeError('%s: %s' % (pattern, found))
    return out + '/' + found[0]
