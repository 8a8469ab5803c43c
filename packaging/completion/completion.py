#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a shell offers behind gatepostctl, made of what the program says of itself: its table of
commands with their options, and the names of all parameters.
usage: completion.py bash|zsh|fish GATEPOSTCTL"""
import re
import subprocess
import sys

TABLES = ['texthash:', 'hash:', 'btree:', 'lmdb:', 'cdb:', 'cidr:', 'pcre:', 'regexp:', 'inline:',
          'static:']
MTAS = ['postfix', 'sendmail']
# Words that belong to the command line of these, where no option is wanted.
SUBCOMMANDS = {'setup': MTAS, 'lookup': TABLES}
# Options behind which a file comes, or a folder.
FILES = ['--cf', '--db', '--log', '--html', '--new']
FOLDERS = ['--mta-config']


def ask(program, *words):
    done = subprocess.run([program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stdout


def commands(program):
    """Name -> (what it does, its options)."""
    found = {}
    for name, text in re.findall(r'(?m)^  ([a-z-]+) +(\S.*)$', ask(program, '--help')):
        # What another program does tells its options itself.
        said = ask(program, name, '--help') if name not in ('survey', 'onion-map') else ''
        options = re.findall(r'(?<![\w-])(--?[a-z][a-z-]*)', said.split('\nExample:')[0])
        found[name] = (text.rstrip('.'), sorted(set(options) | {'--help', '--config', '-c'}))
    return found


def parameters(program):
    text = ask(program, '-c', '/dev/null', 'config', '-d')
    return sorted(set(re.findall(r'(?m)^(?:# )?([a-z_0-9]+)(?: =| is not set)', text)))


def bash(known, names):
    cases = ''.join('    %s) words="%s" ;;\n' % (
        name, ' '.join(options + SUBCOMMANDS.get(name, [])))
                    for name, (_, options) in known.items())
    return '''# bash completion of gatepostctl, made when it was built.
_gatepostctl()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= words i
    COMPREPLY=()
    case $previous in
    -c|--config|%(files)s)
        COMPREPLY=($(compgen -f -- "$current"))
        return ;;
    %(folders)s)
        COMPREPLY=($(compgen -d -- "$current"))
        return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -c|--config) ((i++)) ;;
        -*) ;;
        *) command=${COMP_WORDS[i]}; break ;;
        esac
    done
    case $command in
    '') words="%(commands)s -c --config --help --version" ;;
%(cases)s    esac
    if [ "$command" = config ] && [ "${current#-}" = "$current" ]; then
        words="%(names)s"
    elif [ "$command" = test ] && [ "${current#-}" = "$current" ]; then
        COMPREPLY=($(compgen -f -- "$current"))
        return
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    # A table goes on behind its colon.
    case ${COMPREPLY[0]-} in *:) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _gatepostctl gatepostctl
''' % {'commands': ' '.join(known), 'cases': cases, 'names': ' '.join(names), 'files': '|'.join(FILES),
       'folders': '|'.join(FOLDERS)}


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh(known, names):
    rows = '\n'.join('    %s' % quote('%s:%s' % (name, text.replace(':', '\\:')))
                     for name, (text, _) in known.items())
    cases = '\n'.join('    %s) compadd -- %s ;;' % (
        name, ' '.join(options + SUBCOMMANDS.get(name, [])))
                      for name, (_, options) in known.items())
    return '''#compdef gatepostctl
# zsh completion of gatepostctl, made when it was built.
_gatepostctl() {
  local command= i
  local -a all
  all=(
%(rows)s
  )
  case $words[CURRENT-1] in
    -c|--config|%(files)s) _files; return ;;
    %(folders)s) _files -/; return ;;
  esac
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      -c|--config) ((i++)) ;;
      -*) ;;
      *) command=$words[i]; break ;;
    esac
  done
  case $command in
    '') _describe command all; compadd -- -c --config --help --version; return ;;
%(cases)s
  esac
  case $command in
    config) compadd -- %(names)s ;;
    test) _files ;;
  esac
}
_gatepostctl "$@"
''' % {'rows': rows, 'cases': cases, 'names': ' '.join(names), 'files': '|'.join(FILES),
       'folders': '|'.join(FOLDERS)}


def fish(known, names):
    lines = ['# fish completion of gatepostctl, made when it was built.',
             'complete -c gatepostctl -f',
             "complete -c gatepostctl -s c -l config -r -F -d 'the settings'"]
    none = "'not __fish_seen_subcommand_from %s'" % ' '.join(known)
    for name, (text, options) in known.items():
        lines.append('complete -c gatepostctl -n %s -a %s -d %s' % (none, name, quote(text)))
        seen = "'__fish_seen_subcommand_from %s'" % name
        for option in options:
            if option not in ('-c', '--config'):
                behind = (' -r -F' if option in FILES else
                          " -x -a '(__fish_complete_directories)'" if option in FOLDERS else '')
                lines.append('complete -c gatepostctl -n %s %s %s%s' % (
                    seen, '-l' if option.startswith('--') else '-s', option.lstrip('-'), behind))
        if name in SUBCOMMANDS:
            lines.append("complete -c gatepostctl -n %s -a '%s'" % (
                seen, ' '.join(SUBCOMMANDS[name])))
    lines.append("complete -c gatepostctl -n '__fish_seen_subcommand_from config' -a '%s'"
                 % ' '.join(names))
    lines.append("complete -c gatepostctl -n '__fish_seen_subcommand_from test' -F")
    return '\n'.join(lines) + '\n'


def main():
    program = sys.argv[2]
    known, names = commands(program), parameters(program)
    if not known or not names:
        sys.exit('completion.py: %s says nothing of itself' % program)
    sys.stdout.write({'bash': bash, 'zsh': zsh, 'fish': fish}[sys.argv[1]](known, names))


main()
