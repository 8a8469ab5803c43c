#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What shells offer behind gatepostctl: every command, option and parameter that the program has."""
import os
import re
import shutil
import subprocess
import sys
sys.path.insert(0, sys.path[0])
import ctl
from tap import Skip, case, equal, match, run, true

FOLDER = os.environ['GATEPOST_BUILD'] + '/packaging/completion/'
FILES = {'bash': 'gatepostctl', 'zsh': '_gatepostctl', 'fish': 'gatepostctl.fish'}


def read(shell):
    with open(FOLDER + FILES[shell], encoding='utf-8') as handle:
        return handle.read()


def commands():
    return re.findall(r'(?m)^  ([a-z-]+) +\S', ctl.run('--help').stdout)


def parameters():
    return re.findall(r'(?m)^(?:# )?([a-z_0-9]+)(?: =| is not set)', ctl.Settings().run(
        'config', '-d').stdout)


def offered(*words):
    """What bash offers for the last of WORDS."""
    script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gatepostctl; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(['bash', '-c', script, FOLDER + FILES['bash'], *words],
                          capture_output=True, text=True, timeout=20, cwd='/')
    equal(done.stderr, '', 'stderr')
    return done.stdout.split()


@case('bash offers commands, options, parameters, tables, files')
def in_bash():
    if not shutil.which('bash'):
        raise Skip('bash is not here')
    equal([word for word in offered('gatepostctl', '') if word[0] != '-'], commands())
    equal(offered('gatepostctl', 'stat'), ['status'])
    equal(sorted(offered('gatepostctl', 'config', '')), sorted(set(parameters())))
    equal(offered('gatepostctl', '-c', 'file', 'config', 'auth_min'), ['auth_min_ssf'])
    equal(offered('gatepostctl', 'setup', 'post'), ['postfix'])
    equal(offered('gatepostctl', 'lookup', 'ci'), ['cidr:'])
    true('etc' in offered('gatepostctl', '-c', 'et'), 'a file')
    for command in commands():
        if command in ('survey', 'onion-map'):
            continue
        said = ctl.run(command, '--help').stdout.split('\nExample:')[0]
        for option in set(re.findall(r'(?<![\w-])(--[a-z][a-z-]*)', said)):
            true(option in offered('gatepostctl', command, option), '%s %s' % (command, option))


@case('zsh and fish have the same commands and parameters')
def elsewhere():
    for shell in ('zsh', 'fish'):
        text = read(shell)
        for word in commands() + parameters():
            match(r'(?<![\w-])%s(?![\w-])' % re.escape(word), text, shell)
        if shutil.which(shell):
            done = subprocess.run([shell, '-n', FOLDER + FILES[shell]], capture_output=True, text=True)
            equal((done.returncode, done.stderr), (0, ''), shell)


if __name__ == '__main__':
    run()
