/**
 * What those who come from git type, and how it is done here: hints for git's commands and flags that weft does not have.
 * @module
 */

const UNDO = '`weft undo` takes back the last command, `weft restore <path>` unsaved changes.'
const NO_INDEX =
  'Nothing is staged: what is not ignored is part of the next commit. `weft commit <path>...` takes a part.'
const NO_REWRITE = 'Versions are never rewritten.'
const WHOLE = 'Nothing of the kind is needed: the store looks after itself.'

/** Hints for commands of git, and short names of them, by name. All but a few name the command of weft that does it. */
const COMMANDS: Readonly<Record<string, string>> = {
  add: `${NO_INDEX} Run weft status, then weft commit.`,
  am: '`weft apply` makes the changes of a patch, `weft commit` a version of them.',
  annotate: 'Run weft blame <path>.',
  br: 'Run weft branch.',
  'cat-file': 'Run weft cat <path>, weft show <version>, or weft store scan.',
  checkout: 'Run weft switch <branch> (-c <name> makes it), or weft restore <path> to bring files back.',
  'cherry-pick': 'Run weft pick <version>.',
  ci: 'Run weft commit.',
  co: 'Run weft switch <branch>, or weft restore <path> to bring files back.',
  describe: '`weft show` names the branches and tags at a version, `weft tag` lists the tags.',
  'diff-tree': 'Run weft show <version>, or weft diff --at <A>..<B>.',
  difftool: 'Run weft diff.',
  fetch: 'Run weft pull: what comes leaves your branch and files alone where both sides went on.',
  'fast-export': 'Run weft git export <dir>.',
  'fast-import': 'Run weft git import <repository> <dir>.',
  'filter-branch': `${NO_REWRITE} Export with weft git export, and import what git made of it.`,
  'format-patch': 'Run weft show <version> > <file>.patch; weft apply, git apply and patch -p1 take it.',
  fsck: 'Run weft verify.',
  gc: WHOLE,
  'ls-files': 'Run weft ls.',
  'ls-tree': 'Run weft ls --at <version>.',
  'merge-base': 'Run weft branch --against <version> to see what is ahead and behind.',
  mergetool: 'Run weft resolve --list, edit the files, then weft resolve <path>; or --ours, --theirs, --union.',
  notes: 'Notes are not kept yet. `weft tag <name> <version> -m <text>` says something about a version.',
  prune: WHOLE,
  'range-diff': 'Run weft diff --at <A>..<B>.',
  rebase: `${NO_REWRITE} Run weft merge <branch>, weft merge --squash, or weft pick <version>... on top of another.`,
  reflog: 'Run weft op log; weft undo takes back what it lists.',
  repack: WHOLE,
  reset: `${UNDO} \`weft restore --all\` is like git reset --hard.`,
  'rev-list': 'Run weft log.',
  'rev-parse': 'Run weft show <version>; its first line has the whole id.',
  shortlog: 'Run weft log.',
  st: 'Run weft status.',
  stage: NO_INDEX,
  stash: 'Run weft shelve, and weft unshelve to bring the changes back; weft shelve --list lists them.',
  submodule: 'Submodules are not looked into: their commit ids are kept as they are.',
  unstage: NO_INDEX,
  'update-ref': 'Run weft branch <name> <version>.',
  whatchanged: 'Run weft log, and weft show <version>.',
  worktree: 'A repository has one work tree. `weft restore --at <version> --to <dir>` writes a version elsewhere.',
}

const AMEND = 'Run weft undo, which leaves the changes in the work tree, and weft commit again.'
const ABBREVIATED = 'Each version takes a few lines here; `weft log --json` is for programs.'
const PER_VERSION = '`weft show <version>` shows what it changed, `weft diff --at <A>..<B> --stat` counts lines.'
const GIVE_UP = 'Run weft undo: it takes back the whole command, with all that it left in the work tree.'
const CARRY_ON = 'Run weft resolve, then weft commit.'
const BY_HISTORY = 'Run weft grep --history <regex>: it names who put each line that fits, and who removed it.'

/** Hints for flags that weft's command of the same name does not have: by command, then by flag. */
const FLAGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  blame: { '-L': 'All lines are shown; the pager finds them.' },
  branch: {
    '-D': 'Run weft branch --delete --force <name>.',
    '-M': 'Run weft branch --rename <from> <to>.',
    '-a': '`weft branch` lists them all.',
    '-r': 'There are no remote branches: weft pull brings branches up to date.',
    '-v': '`weft branch` says where each stands as it is.',
    '--list': 'Run weft branch, or weft branch <pattern>.',
    '--show-current': 'Run weft status: its first line says it.',
  },
  clean: {
    '-d': 'Directories that are left empty go as well: run weft clean.',
    '-f': 'No need to insist: weft clean can be undone.',
    '-x': 'Run weft clean --ignored.',
  },
  commit: {
    '-F': 'Run weft commit -m "$(cat <file>)".',
    '-a': `Leave it out. ${NO_INDEX}`,
    '--all': `Leave it out. ${NO_INDEX}`,
    '--fixup': AMEND,
    '--no-edit': AMEND,
    '--squash': AMEND,
  },
  config: { '--list': 'Run weft config.', '-l': 'Run weft config.', '--get': 'Run weft config <key>.' },
  diff: {
    '--cached': NO_INDEX,
    '--staged': NO_INDEX,
    '--name-only': 'Run weft status, or weft diff --stat.',
    '--name-status': 'Run weft status, or weft diff --stat.',
    '--word-diff': 'Run weft diff --word.',
  },
  init: { '--bare': 'A repository is the folder .weft in a directory, with or without files beside it.' },
  log: {
    '-S': BY_HISTORY,
    '-G': BY_HISTORY,
    '-p': PER_VERSION,
    '--patch': PER_VERSION,
    '--stat': PER_VERSION,
    '--follow': 'Leave it out: renames are always followed.',
    '--graph': ABBREVIATED,
    '--oneline': ABBREVIATED,
    '--all': 'Run weft branch, and weft log --at <branch>.',
  },
  merge: {
    '--abort': GIVE_UP,
    '--continue': CARRY_ON,
    '--ff-only': 'Leave it out; `weft undo` takes back a merge that you did not want.',
  },
  pick: { '--abort': GIVE_UP, '--continue': CARRY_ON, '-n': 'Run weft pick --no-commit.' },
  restore: {
    '--staged': NO_INDEX,
    '--source': 'Run weft restore <path> --at <version>.',
    '-s': 'Run weft restore <path> --at <version>.',
  },
  revert: { '--abort': GIVE_UP, '--continue': CARRY_ON, '-n': 'Run weft revert --no-commit.' },
  rm: { '-r': 'Leave it out: a directory is removed with all that is tracked in it.' },
  show: { '--stat': 'Run weft diff --at <A>..<B> --stat.', '--name-only': 'The first lines list the files.' },
  status: { '-s': 'Run weft status: a line for each change.', '--short': 'Run weft status: a line for each change.' },
  switch: { '--detach': 'Run weft switch <version>: only a branch is stood on, a version is detached.' },
  tag: {
    '-a': 'Leave it out: every tag is signed, and -m says what it is for.',
    '-s': 'Leave it out: every tag is signed.',
    '-f': 'Run weft tag --delete <name>, then make it again.',
    '-l': 'Run weft tag, or weft tag <pattern>.',
    '--list': 'Run weft tag, or weft tag <pattern>.',
  },
}

/** How git's command of that name is done here; undefined where git has none, or weft has it too. */
export function commandHint(name: string): string | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
}

/**
 * How that is done here for which git's command of the same name has a flag.
 *
 * @param command - Name of a command of weft.
 * @param flag - As typed: `--flag`, `--flag=value`, `-f`, or several letters at once, of which the first that is known counts.
 */
export function flagHint(command: string, flag: string): string | undefined {
  const known = Object.hasOwn(FLAGS, command) ? FLAGS[command] : undefined
  if (known === undefined) return undefined
  const names = flag.startsWith('--') ? [flag.replace(/=.*/s, '')] : [...flag.slice(1)].map((letter) => `-${letter}`)
  const name = names.find((one) => Object.hasOwn(known, one))
  return name === undefined ? undefined : known[name]
}

/** Every hint, for the test that no hint names what is not there. */
export const HINTS: readonly string[] = [...Object.values(COMMANDS), ...Object.values(FLAGS).flatMap(Object.values)]
