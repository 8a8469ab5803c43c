#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The unit and the packages: built from this tree, judged by systemd's and Debian's own tools. Nothing
is installed."""
import json
import os
import platform
import re
import shutil
import subprocess
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import packages
import place
from tap import Skip, absent, case, equal, match, note, run, true

from packages import BUILD, TOP, clean_environment

UNITS = BUILD + '/packaging/systemd/'
PROGRAMS = {'gatepost': BUILD + '/milter/daemon/gatepost',
            'gatepostctl': BUILD + '/milter/gatepostctl/gatepostctl',
            'gatepost-web': BUILD + '/milter/web/gatepost-web'}
FLAGS = ['-D_FORTIFY_SOURCE=2', '-O2', '-fstack-protector-strong', '-Werror=format-security']
if platform.machine() == 'x86_64':
    FLAGS += ['-fcf-protection', '-fstack-clash-protection']
# Of systemd-analyze security: 0 is none, 10 the worst.
EXPOSURE = {'gatepost': 2.0, 'gatepost-web': 1.5}
INSTALLED = ['/etc/gatepost/gatepost.conf', '/etc/gatepost/rules/',
             '/lib/systemd/system/gatepost.service', '/lib/systemd/system/gatepost.socket',
             '/lib/systemd/system/gatepost-release.service',
             '/lib/systemd/system/gatepost-release.timer', '/usr/libexec/gatepost/socket-folders',
             '/lib/systemd/system/gatepost-check.service', '/lib/systemd/system/gatepost-check.timer',
             '/usr/libexec/gatepost/check-setup', '/usr/lib/systemd/catalog/gatepost.catalog',
             '/etc/needrestart/restart.d/gatepost.service',
             '/usr/sbin/gatepost', '/usr/sbin/gatepostctl', '/usr/share/gatepost/rules/10-charset.cf',
             '/usr/share/doc/gatepost/copyright', '/usr/share/doc/gatepost/README.Debian',
             '/usr/share/man/man5/gatepost.conf.5.gz', '/usr/share/man/man7/gatepost-messages.7.gz',
             '/usr/share/man/man8/gatepost.8.gz',
             '/usr/share/man/man8/gatepostctl.8.gz']
package = {}  # what "the package builds" leaves for the cases after it


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(program + ' is missing')


def execute(*words, **options):
    options = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT,
               'text': True, 'env': dict(os.environ, LC_ALL='C'), **options}
    return subprocess.run(words, **options)


def unit(service='gatepost'):
    """The unit, with the programs of this build where the installed ones will be."""
    need('systemd-analyze')
    if not os.path.exists(UNITS + service + '.service'):
        raise Skip('built without what the unit of %s needs' % service)
    with open(UNITS + service + '.service', encoding='utf-8') as handle:
        text = handle.read()
    for name, path in PROGRAMS.items():
        text = re.sub(r'=\S+/sbin/%s ' % name, '=%s ' % path, text)
    text = re.sub(r'=\+\S+/socket-folders$', '=+%s/packaging/systemd/socket-folders' % TOP, text,
                  flags=re.M)
    path = place.folder() + '/%s.service' % service
    place.write(path, text)
    return path


def not_shipped(names):
    """The examples, recipes and lists alike, that are not among these paths."""
    wanted = ['rbldnsd/README']
    for folder, _, files in os.walk(TOP + '/packaging/recipes'):
        wanted += [os.path.relpath(folder + '/' + name, TOP + '/packaging/recipes')
                   for name in files]
    true(len(wanted) > 30, 'the recipes are not where they were')
    shipped = {path.split('/examples/', 1)[1] for path in names
               if path.startswith('/usr/share/doc/') and '/examples/' in path}
    return sorted({os.path.normpath(name) for name in wanted} - shipped)


def package_file():
    if 'deb' not in package:
        raise Skip('the package was not built')
    return package['deb']


def check_hardening(path):
    """Position independent, all relocations read-only, stack protected, checked libc calls."""
    need('readelf')
    equal(re.search(r'Type:\s+(\w+)', execute('readelf', '-h', path).stdout)[1], 'DYN', 'ELF type')
    match(r'GNU_RELRO', execute('readelf', '-lW', path).stdout, 'segments of ' + path)
    match(r'\((BIND_NOW|FLAGS)\).*(BIND_)?NOW', execute('readelf', '-dW', path).stdout, path)
    symbols = execute('readelf', '--dyn-syms', '-W', path).stdout
    match(r'__stack_chk_fail', symbols, 'symbols of ' + path)
    match(r'__\w+_chk\b(?<!stack_chk)', symbols, 'symbols of ' + path)
    match(r'GNU_STACK +(0x\w+ +){5}RW ', execute('readelf', '-lW', path).stdout, 'stack of ' + path)
    if platform.machine() == 'x86_64':
        # The note that says so (IBT, SHSTK) is there only where the C library's own start files
        # have it, which Debian's have not; the landing pads are.
        pads = len(re.findall(r'\bendbr64\b', execute('objdump', '-d', path).stdout))
        true(pads > 100, '%s has %d landing pads for indirect jumps' % (path, pads))


@case('systemd understands the unit')
def unit_verify():
    for service in EXPOSURE:
        done = execute('systemd-analyze', 'verify', '--man=no', '--recursive-errors=no',
                       unit(service))
        equal((done.returncode, done.stdout.strip()), (0, ''), 'systemd-analyze verify')


@case('systemd understands the socket unit, which stays from one start to the next')
def socket_verify():
    service = unit()
    path = os.path.dirname(service) + '/gatepost.socket'
    shutil.copy(TOP + '/packaging/systemd/gatepost.socket', path)
    done = execute('systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', path, service)
    equal((done.returncode, done.stdout.strip()), (0, ''), 'systemd-analyze verify')
    with open(service, encoding='utf-8') as handle:
        match('(?ms).*^RuntimeDirectoryPreserve=yes$', handle.read(), 'the folder of the socket')


@case('what the services are exposed to is little: ' + str(EXPOSURE))
def unit_security():
    for service, most in EXPOSURE.items():
        done = execute('systemd-analyze', 'security', '--no-pager', '--offline=true',
                       '--threshold=%d' % (most * 10), unit(service))
        found = re.search(r'Overall exposure level for \S+: ([\d.]+)', done.stdout)
        true(found, done.stdout)
        note('%s: exposure %s' % (service, found[1]))
        true(float(found[1]) <= most and done.returncode == 0, done.stdout)


def script(folder, text):
    """A script of a package in FOLDER, which is a system with systemd there."""
    return place.write(folder + '/script', text.replace('/run/systemd/system', folder)
                       .replace('/var/lib/gatepost', folder))


def stand_ins(folder):
    """The programs that a script calls, which write down into FOLDER/said what they are asked."""
    for program in ('adduser', 'addgroup', 'gatepostctl', 'systemctl', 'deb-systemd-invoke',
                    'deb-systemd-helper'):
        place.write(folder + '/' + program, '#!/bin/sh\necho "${0##*/}" "$@" >>%s/said\n'
                    '[ $1 != is-active ] || exit $INACTIVE\n' % folder)
        os.chmod(folder + '/' + program, 0o755)


def run_script(folder, *words, inactive='0'):
    """What it asks for, by line."""
    place.write(folder + '/said', '')
    done = execute('sh', folder + '/script', *words,
                   env=dict(os.environ, INACTIVE=inactive, PATH=folder + ':' + os.environ['PATH']))
    equal(done.returncode, 0, done.stdout)
    with open(folder + '/said', encoding='utf-8') as handle:
        return handle.read().splitlines()


@case('a service that runs is started anew when its package is upgraded, one that does not is not')
def upgraded():
    for name in ('gatepost', 'gatepost-web'):
        folder = place.folder('gatepost-postinst-')
        stand_ins(folder)
        with open('%s/packaging/debian/%s.postinst' % (TOP, name), encoding='utf-8') as handle:
            script(folder, handle.read())
        for inactive, before, restarts in (('0', '0.0.9-1', 1), ('3', '0.0.9-1', 0), ('0', '', 0)):
            said = run_script(folder, 'configure', before, inactive=inactive)
            equal(said.count('deb-systemd-invoke restart %s.service' % name), restarts,
                  '%s, %s, from "%s"' % (name, inactive, before))


@case('programs are built hardened')
def programs_hardened():
    with open(BUILD + '/meson-info/intro-buildoptions.json', encoding='utf-8') as handle:
        options = {row['name']: row['value'] for row in json.load(handle)}
    if options['b_sanitize'] != 'none' or options['optimization'] in ('0', 'g', 'plain'):
        raise Skip('built with sanitizers, or without optimisation')
    for path in PROGRAMS.values():
        check_hardening(path)


@case('the scripts of the package are sh')
def scripts_syntax():
    for name in ['debian/gatepost.postinst', 'debian/gatepost.postrm', 'debian/gatepost.prerm',
                 'debian/gatepost-survey.prerm', 'debian/gatepost-web.postinst',
                 'debian/gatepost-web.prerm', 'debian/tests/mail',
                 'systemd/socket-folders', 'install-settings', 'build-deb', 'build-rpm']:
        done = execute('sh', '-n', TOP + '/packaging/' + name)
        equal((done.returncode, done.stdout), (0, ''), name)


def end_of(text):
    note('\n'.join(text.splitlines()[-40:]))


@case('what meson dist makes holds what git does, and configures, in the version of the package')
def tarball():
    need('git', 'meson')
    if not os.path.exists(TOP + '/.git') or execute('git', '-C', TOP, 'rev-parse', 'HEAD').returncode != 0:
        raise Skip('these sources are no clone')
    out = place.folder()
    with open(TOP + '/meson.build', encoding='utf-8') as handle:
        version = re.search(r"version: '(.*)'", handle.read())[1]
    tree = out + '/gatepost-' + version
    for words in (['meson', 'setup', out + '/build', TOP, '-Dtests=false'],
                  ['meson', 'dist', '-C', out + '/build', '--no-tests', '--allow-dirty',
                   '--formats', 'gztar'],
                  ['tar', '-xf', '%s/build/meson-dist/gatepost-%s.tar.gz' % (out, version), '-C', out]):
        done = execute(*words)
        equal(done.returncode, 0, '%s: %s' % (words, done.stdout))
    held = [os.path.relpath(folder + '/' + name, tree) for folder, _, names in os.walk(tree)
            for name in names]
    done = execute('git', '-C', TOP, 'ls-tree', '-r', '-z', '--name-only', 'HEAD')
    equal(sorted(held), sorted(done.stdout.split('\0')[:-1]), 'files in the tarball')
    done = execute('meson', 'setup', out + '/again', tree)
    match(r'Project version: %s\n' % re.escape(version), done.stdout, 'meson setup')
    equal(done.returncode, 0, done.stdout)
    done = execute('dpkg-parsechangelog', '-S', 'Version', '-l', tree + '/packaging/debian/changelog')
    match(re.escape(version) + '-', done.stdout, 'version of the package')


@case('an installation by hand leaves the settings of the site')
def settings_stay():
    folder = place.folder()
    for name in ('gatepost.conf', 'systemd/socket-folders'):  # any other file for the second time
        done = execute(TOP + '/packaging/install-settings', TOP + '/packaging/' + name,
                       '/etc/gatepost', env=dict(os.environ, DESTDIR=folder))
        equal((done.returncode, done.stdout), (0, ''), 'install-settings')
    with open(folder + '/etc/gatepost/gatepost.conf', encoding='utf-8') as handle:
        match('^# gatepost.conf - ', handle.read(), 'the settings')


@case('the package builds')
def package_builds():
    if packages.missing():
        raise Skip(packages.missing())
    out, package['log'] = packages.built()
    built = sorted(name for name in os.listdir(out) if name.endswith(('.deb', '.changes')))
    equal([re.sub(r'_.*(\.\w+)$', r'\1', name) for name in built],
          ['gatepost-dbgsym.deb', 'gatepost-survey-dbgsym.deb', 'gatepost-survey.deb',
           'gatepost-web-dbgsym.deb', 'gatepost-web.deb', 'gatepost.changes', 'gatepost.deb'],
          'what is built')
    (package['debug'], _, package['survey'], package['web debug'], package['web'], package['changes'],
     package['deb']) = [
        out + '/' + name for name in built]


@case('every source of it is compiled hardened')
def package_flags():
    package_file()
    # What prints the table of parameters for the manual runs in the build alone.
    lines = [line for line in package['log'].splitlines()
             if re.search(r' -c \.\./milter/', line) and 'mdoc' not in line]
    true(len(lines) > 100, 'the log of the build shows %d compilations' % len(lines))
    for flag in FLAGS:
        equal([line.split()[-1] for line in lines if flag not in line.split()], [],
              'compiled without ' + flag)
    # dpkg-shlibdeps warns of what the release diverts, which is not ours.
    equal([line for line in package['log'].splitlines()
           if re.search(r': warning: ', line) and not line.startswith('dpkg-')], [],
          'warnings of the compiler')


@case('lintian has no error and no warning')
def package_lintian():
    package_file()
    need('lintian')
    done = execute('lintian', '--allow-root', '--fail-on', 'error,warning', package['changes'])
    equal((done.returncode, done.stdout.strip()), (0, ''), 'lintian')


@case('the package holds what it should, settings as conffiles')
def package_contents():
    listing = execute('dpkg-deb', '-c', package_file()).stdout
    rows = [line.split(None, 5) for line in listing.splitlines()]
    # Debian 13 has units below /usr.
    names = [re.sub('^/usr/lib/systemd/system/', '/lib/systemd/system/', row[5][1:]) for row in rows]
    equal([name for name in INSTALLED if name not in names], [], 'missing')
    equal(not_shipped(names), [], 'examples that are missing')
    equal([row[5] for row in rows if row[1] != 'root/root'], [], 'not owned by root')
    equal([name for name in names if name.startswith(('/var/', '/run/', '/usr/local/'))], [],
          'where no package puts anything')
    equal(execute('dpkg-deb', '-I', package_file(), 'conffiles').stdout.split(),
          ['/etc/gatepost/gatepost.conf', '/etc/needrestart/restart.d/gatepost.service'],
          'conffiles')


@case('what the package installs is hardened, and its symbols are in the other package')
def package_hardened():
    out = place.folder()
    for path in (package_file(), package['web'], package['debug'], package['web debug']):
        equal(execute('dpkg-deb', '-x', path, out).returncode, 0, 'dpkg-deb -x')
    for name in PROGRAMS:
        program = out + '/usr/sbin/' + name
        check_hardening(program)
        absent(r'\.symtab|\.debug_info', execute('readelf', '-SW', program).stdout, 'sections')
        number = re.search(r'Build ID: (\w+)', execute('readelf', '-n', program).stdout)[1]
        debug = '%s/usr/lib/debug/.build-id/%s/%s.debug' % (out, number[:2], number[2:])
        match(r'\.debug_info', execute('readelf', '-SW', debug).stdout, 'sections of ' + debug)


# What each package's units are ended in, when it is removed.
ENDED = {'deb': ['gatepost.socket', 'gatepost-check.timer', 'gatepost-release.timer',
                 'gatepost.service'],
         'survey': ['gatepost-survey.timer'], 'web': ['gatepost-web.service']}


@case('what runs goes on while its package is upgraded, and ends when that is removed')
def package_scripts():
    package_file()
    for name, units in ENDED.items():
        folder = place.folder('gatepost-scripts-')
        stand_ins(folder)
        equal(execute('dpkg-deb', '-e', package[name], folder + '/control').returncode, 0, 'dpkg-deb -e')
        for file, word, expected in (('preinst', 'upgrade', []), ('prerm', 'upgrade', []),
                                     ('prerm', 'remove', units)):
            said = []
            if os.path.exists(folder + '/control/' + file):
                with open(folder + '/control/' + file, encoding='utf-8') as handle:
                    script(folder, handle.read())
                said = run_script(folder, word, '0.0.9-1')
            stops = [re.match('deb-systemd-invoke stop (.*)', line) for line in said]
            equal([unit for stop in stops if stop for unit in stop[1].split()], expected,
                  '%s of %s at %s' % (file, name, word))


@case('only the package of the survey needs libcurl; OpenSSL too, but for hiredis with TLS')
def package_apart():
    package_file()
    needs = {name: execute('dpkg-deb', '-f', package[name], 'Depends').stdout
             for name in ('deb', 'survey')}
    absent('libcurl' if 'libhiredis1' in needs['deb'] else 'libssl|libcurl', needs['deb'], 'gatepost')
    match('libcurl.*libssl', needs['survey'], 'gatepost-survey')
    equal([name for name in ('deb', 'web')
           if 'libmicrohttpd' in execute('dpkg-deb', '-f', package[name], 'Depends').stdout], ['web'],
          'who needs libmicrohttpd')
    listing = execute('dpkg-deb', '-c', package['web']).stdout
    for name in ('/usr/sbin/gatepost-web', '/gatepost-web.service', '/man8/gatepost-web.8'):
        true(name in listing, name)
    listing = execute('dpkg-deb', '-c', package['survey']).stdout
    for name in ('/usr/libexec/gatepost/gatepost-survey', '/gatepost-survey.service',
                 '/gatepost-survey.timer'):
        true(name in listing, name)


@case('an RPM package builds, and holds what it should')
def rpm_builds():
    need('rpmbuild', 'rpm')
    out = place.folder()
    # What it holds does not change with the optimisation, which takes time. rpm's database knows no
    # library of a Debian.
    options = ['--define', 'optflags -O1'] + (['--nodeps'] if shutil.which('dpkg') else [])
    done = execute(TOP + '/packaging/build-rpm', out, *options, env=clean_environment(out))
    built = [name for name in os.listdir(out) if re.match(r'gatepost-\d.*\.rpm$', name)]
    if done.returncode != 0 or not built:
        end_of(done.stdout)
    equal((done.returncode, len(built)), (0, 1), 'exit, packages')
    query = ['rpm', '-qp', '--nosignature', '--dbpath', out + '/db', out + '/' + built[0]]
    equal(execute(*query, '--configfiles').stdout.split(),
          ['/etc/gatepost/gatepost.conf', '/etc/needrestart/restart.d/gatepost.service'],
          'configuration')
    names = execute(*query, '--list').stdout.split()
    for path in ['/etc/gatepost/rules', '/usr/lib/sysusers.d/gatepost.conf', '/usr/libexec/gatepost/socket-folders',
                 '/usr/sbin/gatepost', '/usr/sbin/gatepostctl',
                 '/usr/share/gatepost/rules/10-charset.cf']:
        true(path in names, path + ' is missing')
    scripts = execute(*query, '--scripts').stdout
    absent(r'%', scripts, 'macros that nobody expanded')
    match(r'useradd', scripts, 'the user')
    page, = (name for name in os.listdir(out) if name.startswith('gatepost-web-'))
    scripts = execute(*query[:-1], out + '/' + page, '--scripts').stdout
    absent(r'%', scripts, 'macros that nobody expanded')
    match(r'disable --now gatepost-web', scripts, 'ended with its package')
    match(r'try-restart gatepost-web', scripts, 'of the daemon\'s version')
    true(any(name.endswith('/system/gatepost.service') for name in names), 'the unit is missing')
    equal(not_shipped(names), [], 'examples that are missing')


@case('where rpm knows the macros of systemd, the scripts of the RPM package are those')
def rpm_macros():
    need('rpmspec')
    # Not systemd_postun_with_restart, which would replace a daemon by one that cannot start.
    known = ['systemd_post', 'systemd_preun', 'sysusers_create_compat']
    words = [word for name in known for word in ('--define', '%s() called-%s %%*' % (name, name))]
    text = execute('rpmspec', '-P', *words, TOP + '/packaging/rpm/gatepost.spec').stdout
    for name in known:
        match(r'(?m)^called-%s \S*gatepost\.(service|sysusers)$' % name, text, name)
    match(r'(?m)^called-systemd_preun gatepost-web\.service$', text, 'the page')
    for unit_name in ('gatepost.socket', 'gatepost-check.timer', 'gatepost-release.timer',
                      'gatepost-survey.timer'):
        match(r'(?m)^called-systemd_preun( \S+)* ?%s' % re.escape(unit_name), text, 'ended')
    absent('useradd|systemctl --no-reload', text, 'spec')
    match('if said=.*gatepostctl check.*\n *systemctl try-restart gatepost', text, 'spec')


run()
