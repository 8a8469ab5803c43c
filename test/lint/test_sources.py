#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the sources must keep to and no compiler checks: the direction of includes, the layout, the
shape of functions. usage: test_sources.py SOURCE-FOLDER"""
import glob
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.abspath(sys.argv.pop(1))
sys.path.insert(0, TOP + '/test/lib')
from tap import Failure, Skip, case, equal, run  # noqa: E402

# Debian 12's.
CLANG_FORMAT = 14
LONGEST_FUNCTION = 80  # lines between its braces
README = TOP + '/milter/README.md' if os.path.exists(TOP + '/milter/README.md') \
    else TOP + '/milter/README'
# An item of milter/README's list: "3. `facts/` what is known ...".
LAYER = re.compile(r'^\s*\d+\.\s+[*_]*`([a-z]+)/`', re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
NOT_POSIX = re.compile(
    r'\b(flock|getentropy|getrandom|arc4random\w*|initgroups|setgroups|getgrouplist|getifaddrs|prctl|'
    r'accept4|pipe2|dup3|explicit_bzero|v?asprintf|memmem|memrchr|strchrnul|getopt_long|strsep|'
    r'strcasestr|strlcpy|strlcat|qsort_r|secure_getenv|program_invocation_\w+|epoll_\w+|eventfd|'
    r'timerfd_\w+|signalfd|inotify_\w+|mallinfo2?|malloc_trim|pthread_\w+_np|gettid|getauxval)\s*\('
    r'|\b(SO_PEERCRED|SOCK_CLOEXEC|SOCK_NONBLOCK|_GNU_SOURCE|_DEFAULT_SOURCE|_BSD_SOURCE|__GLIBC__|'
    r'__linux__|_np)\b|<(sys/(file|prctl|random|epoll|eventfd|inotify)|ifaddrs|malloc|error|'
    r'execinfo|linux/\w+)\.h>')
# A file that names somebody's home or working folder works for him alone.
MACHINE = re.compile(r'/home/\w|/tmp/[\w-]+/')


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8', errors='replace') as handle:
        return handle.read()


def files(*patterns):
    found = [os.path.relpath(path, TOP) for pattern in patterns
             for path in glob.glob(os.path.join(TOP, pattern), recursive=True)]
    return sorted(path for path in set(found) if os.path.isfile(os.path.join(TOP, path)))


def is_build(folder):
    """Whether meson builds in it, or a script of ours, whatever it is called."""
    return folder.startswith('build') or os.path.exists(os.path.join(TOP, folder, 'build.ninja'))


def ours():
    """Every file that is part of the project, as git sees it; in a tarball's tree all that is no
    build."""
    if os.path.exists(TOP + '/.git'):
        done = subprocess.run(['git', '-C', TOP, 'ls-files', '-co', '--exclude-standard'],
                              capture_output=True, text=True)
        if done.returncode == 0:
            return [path for path in done.stdout.splitlines()
                    if os.path.isfile(os.path.join(TOP, path)) and
                    not is_build(path.split('/')[0])]
    builds = {name for name in os.listdir(TOP) if is_build(name)}
    return [path for path in files('**/*', '.*')
            if path.split('/')[0] not in builds and '__pycache__' not in path]


def layers():
    if not os.path.exists(README):
        raise Skip('milter/README is not there yet')
    found = LAYER.findall(read(README))
    if not found:
        raise Failure('milter/README has no list of layers')
    return found


def c_files():
    return files('milter/**/*.[ch]', 'include/**/*.[ch]')


def fail_if(problems):
    if problems:
        raise Failure('\n'.join(problems))


@case('an include never leads to a lower layer')
def include_direction():
    order = {name: number for number, name in enumerate(layers())}
    problems = []
    for path in c_files():
        own = path.split('/')[1]
        for number, line in enumerate(read(path).splitlines(), 1):
            found = INCLUDE.match(line)
            if not found or '/' not in found[1]:
                continue
            other = found[1].split('/')[0]
            if other not in order:
                problems.append('%s:%d: %s/ is no layer of milter/README' % (path, number, other))
            elif own in order and order[other] > order[own]:
                problems.append('%s:%d: %s/ must not use %s/' % (path, number, own, other))
    fail_if(problems)


@case('milter/README lists every folder, and no others')
def readme_lists_folders():
    folders = {path.split('/')[1] for path in c_files() if path.count('/') > 1}
    equal(sorted(set(layers())), sorted(folders), 'layers')


@case('milter/README names files that are there')
def readme_names_files():
    text = read('milter/README')
    words = set(re.findall(r'`([a-z_]+(?:/[a-z_0-9]+)+\.[a-z]+)`', text))
    words |= set(re.findall(r'(?<![\w/`.])([a-z]+/[a-z_0-9]+\.[chpy]+)\b', text))
    if len(words) < 10:
        raise Failure('only %s' % words)
    fail_if([word for word in sorted(words)
             if not any(os.path.exists(os.path.join(TOP, folder, word))
                        for folder in ('', 'milter', 'include'))])


@case('milter/README lists every thread, and no others')
def readme_lists_threads():
    begun = {('main', 'daemon/main.c')}
    for path in c_files():
        for name in re.findall(r'\bg_thread_(?:try_)?new\(\s*"([^"]+)"', read(path)):
            begun.add((name, path.split('/', 1)[1]))
        if re.search(r'\bg_thread_(?:try_)?new\(\s*name\b', read(path)):
            for name in re.findall(r'\bstart\([^;"]*"([^"]+)"', read(path)):
                begun.add((name, path.split('/', 1)[1]))
        elif re.search(r'\b(pthread_create|g_thread_pool_new\w*)\(|\bg_thread_(?:try_)?new\(\s*[^"\s]',
                       read(path)):
            raise Failure(path + ': threads are begun by g_thread_new, with their name')
    rows = re.findall(r'^    ([a-z]+) +([a-z]+/[a-z_/]+\.c) +\S', read('milter/README'), re.M)
    equal(sorted(rows), sorted(begun), 'threads')


@case('locks and threads are those of GLib')
def one_kind_of_threads():
    fail_if(['%s:%d: %s' % (path, number, line.strip())
             for path in c_files() for number, line in enumerate(read(path).splitlines(), 1)
             if re.search(r'\bpthread_(?!sigmask)\w+|<stdatomic\.h>|\b__atomic_', line)])


@case('test/README.md lists every folder of tests, and no others')
def test_readme():
    listed = re.findall(r'^\| `([a-z0-9]+)/` \|', read('test/README.md'), re.M)
    folders = {path.split('/')[1] for path in ours() if path.startswith('test/')
               and path.count('/') > 1}
    equal(sorted(listed), sorted(folders), 'folders')


@case('a name of a file stands once')
def names_once():
    """Who reads "lines.c" in a message or a debugger shall know which it is."""
    places = {}
    for path in c_files():
        if os.path.basename(path) != 'main.c':
            places.setdefault(os.path.basename(path), []).append(path)
    fail_if([' '.join(paths) for paths in places.values() if len(paths) > 1])


@case('a struct that other folders see has a name of its own')
def structs_once():
    public = {name for path in files('include/**/*.h')
              for name in re.findall(r'^struct (\w+)(?: \{|;)', read(path), re.M)}
    places = {}
    for path in c_files():
        for name in re.findall(r'^struct (\w+) \{', read(path), re.M):
            places.setdefault(name, []).append(path)
    fail_if(['struct %s: %s' % (name, ' '.join(paths)) for name, paths in sorted(places.items())
             if name in public and len(paths) > 1])


@case('policy/ knows no restriction by its name')
def restrictions_by_row():
    """What it must know of one is a column of its row; but the session refuses by itself, too, and
    gives restrictions' names for it."""
    rows = set(re.findall(r'\.name = "(\w+)"', read('milter/checks/restrictions.c')))
    rows -= set(re.findall(r'{"(\w+)",', read('milter/policy/own_refusals.c')))
    if len(rows) < 50:
        raise Failure('there are only %d rows' % len(rows))
    comments_and_joints = re.compile(r'/\*.*?\*/|"\s*"', re.S)
    fail_if(['%s: %s' % (path, name) for path in files('milter/policy/*.c')
             for name in re.findall(r'"(\w+)"', comments_and_joints.sub('', read(path)))
             if name in rows])


@case('only mta/libmilter/ knows libmilter')
def libmilter_in_one_place():
    fail_if([path for path in c_files()
             if not path.startswith('milter/mta/libmilter/') and '<libmilter/' in read(path)])


@case('only base/system.c and base/poller.c use what is not in POSIX')
def posix():
    """The compiler holds most of it, since all is compiled with _XOPEN_SOURCE and no more; these
    names are seen with it, too, on one system or another."""
    fail_if(['%s:%d: %s' % (path, number, found[0])
             for path in c_files()
             if path not in ('milter/base/system.c', 'milter/base/poller.c')
             for number, line in enumerate(read(path).splitlines(), 1)
             for found in [NOT_POSIX.search(line)] if found])
    if '-D_XOPEN_SOURCE=700' not in read('meson.build'):
        raise Failure('meson.build does not ask for POSIX')


@case('every source begins with its licence')
def licence_lines():
    sources = c_files() + files('packaging/**/*.[ch]', 'test/**/*.[ch]', 'test/**/*.py', 'milter/**/*.py',
                                'test/run', 'test/bench/run')
    fail_if([path for path in sources
             if 'SPDX-License-Identifier: BSD-2-Clause' not in read(path)[:200]])


@case('no file names a path of one machine')
def no_machine_paths():
    own = os.path.relpath(os.path.abspath(__file__), TOP)
    fail_if(['%s:%d: %s' % (path, number, line.strip()[:80])
             for path in ours() if path != own
             for number, line in enumerate(read(path).splitlines(), 1) if MACHINE.search(line)])


@case('no function is longer than %d lines' % LONGEST_FUNCTION)
def function_length():
    problems = []
    for path in c_files():
        begun = None
        for number, line in enumerate(read(path).splitlines(), 1):
            if line == '{':
                begun = number
            elif line == '}' and begun:
                if number - begun - 1 > LONGEST_FUNCTION:
                    problems.append('%s:%d: %d lines' % (path, begun, number - begun - 1))
                begun = None
    fail_if(problems)


@case('sources are formatted as .clang-format says')
def formatting():
    program = shutil.which('clang-format-%d' % CLANG_FORMAT) or shutil.which('clang-format')
    if not program:
        raise Skip('clang-format is missing')
    version = subprocess.run([program, '--version'], capture_output=True, text=True).stdout
    if ' version %d.' % CLANG_FORMAT not in version:
        raise Skip('each clang-format has its own taste; the sources are formatted by version %d, '
                   'this is %s' % (CLANG_FORMAT, version.strip()))
    sources = c_files() + files('packaging/**/*.[ch]', 'test/**/*.[ch]')
    done = subprocess.run([program, '--dry-run', '--Werror', *sources], cwd=TOP,
                          capture_output=True, text=True)
    fail_if(sorted({line.split(':')[0] for line in done.stderr.splitlines() if ': error:' in line}))


@case('man pages pass mandoc')
def man_pages():
    pages = files('packaging/**/*.[158]', 'packaging/**/*.[158].in')
    if os.environ.get('GATEPOST_BUILD'):
        pages += glob.glob(os.environ['GATEPOST_BUILD'] + '/**/*.[158]', recursive=True)
    if not pages:
        raise Skip('there is no man page yet')
    if not shutil.which('mandoc'):
        raise Skip('mandoc is missing')
    done = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', *pages], cwd=TOP,
                          capture_output=True, text=True)
    fail_if(done.stdout.splitlines() + done.stderr.splitlines())


run()
