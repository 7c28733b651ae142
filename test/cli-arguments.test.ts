/**
 * What the command line makes of arguments, paths, the environment and mistyped words.
 * @module
 */
import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { repositoryPath, typedPath } from '../src/cli/directory.js'
import { commandHint, flagHint } from '../src/cli/from-git.js'
import { configHome } from '../src/cli/home.js'
import { splitLeading } from '../src/cli/main.js'
import { suggestCommand, unknownCommand } from '../src/cli/suggest.js'

describe('what stands before the command', () => {
  const cases: [args: string[], directories: string[], rest: string[]][] = [
    [['log'], [], ['log']],
    [['-C', 'a', 'log', '-C', 'b'], ['a'], ['log', '-C', 'b']],
    [['-Ca', '-C', 'b', 'log'], ['a', 'b'], ['log']],
    [['--json', 'log', '-n', '1'], [], ['log', '-n', '1', '--json']],
    [['--json', '-C', 'a', 'grep', '--', '-x'], ['a'], ['grep', '--json', '--', '-x']],
    [['--no-pager', 'log', '--', 'x'], [], ['log', '--no-pager', '--', 'x']],
    [['--json', 'bisect', 'run', 'npm', 'test', '--', 'x'], [], ['bisect', 'run', '--json', 'npm', 'test', '--', 'x']],
    [['--json'], [], []],
    [[], [], []],
  ]
  for (const [args, directories, rest] of cases) {
    it(args.join(' ') || 'nothing', () => assert.deepEqual(splitLeading(args), { directories, rest }))
  }
  it('a -C without its directory', () => assert.throws(() => splitLeading(['-C']), { code: 'USAGE' }))
})

describe('paths of the repository', () => {
  const cases: [path: string, cwd: string, want: string][] = [
    ['a/b', '/r', 'a/b'],
    ['./a//b/', '/r', 'a/b'],
    ['.', '/r', ''],
    ['b', '/r/a', 'a/b'],
    ['../b', '/r/a', 'b'],
    ['../../b', '/r/a', '../b'],
    ['b', '/elsewhere', 'b'],
    ['..a', '/r', '..a'],
    ['b', '/r/..a', '..a/b'],
    ['"caf\\351"', '/r/a', '"caf\\351"'],
  ]
  for (const [path, cwd, want] of cases) {
    it(`${path} from ${cwd}`, () => assert.equal(repositoryPath(path, '/r', cwd), want))
  }
})

describe('paths as they are typed', () => {
  const cases: [path: string, cwd: string, want: string][] = [
    ['a/b', '/r', 'a/b'],
    ['a/b', '/r/a', 'b'],
    ['a/b/', '/r/a', 'b/'],
    ['a/', '/r/a', './'],
    ['c', '/r/a', '../c'],
    ['c/d/', '/r/a/b', '../../c/d/'],
    ['ab/c', '/r/a', '../ab/c'],
    ['a/b', '/elsewhere', 'a/b'],
    ['"a/\\351"', '/r/a', '"a/\\351"'],
    ['a/"b', '/r/a', './"b'],
  ]
  for (const [path, cwd, want] of cases) {
    it(`${path} in ${cwd}`, () => assert.equal(typedPath(path, '/r', cwd), want))
    it(`${want} in ${cwd} is it again`, () => assert.equal(repositoryPath(want, '/r', cwd), path.replace(/\/$/, '')))
  }
})

describe('the folder of settings', () => {
  const cases: [name: string, env: Record<string, string>, platform: string, want: string][] = [
    ['WEFT_HOME', { WEFT_HOME: '/w', XDG_CONFIG_HOME: '/x' }, 'linux', '/w'],
    ['XDG_CONFIG_HOME', { XDG_CONFIG_HOME: '/x' }, 'linux', '/x/weft'],
    [
      'a relative XDG_CONFIG_HOME, which is to be ignored',
      { XDG_CONFIG_HOME: 'x' },
      'linux',
      join(homedir(), '.config/weft'),
    ],
    ['nothing', {}, 'darwin', join(homedir(), '.config/weft')],
    ['APPDATA', { APPDATA: '/a' }, 'win32', join('/a', 'weft')],
  ]
  for (const [name, env, platform, want] of cases) it(name, () => assert.equal(configHome(env, platform), want))
})

describe('did you mean', () => {
  const commands = ['log', 'ls', 'blame', 'verify', 'git import', 'snapshot create', 'snapshot list', 'store stat']
  const cases: [typed: string, want: string | undefined][] = [
    ['lgo', 'log'],
    ['blaem src/a.c', 'blame'],
    ['verfy', 'verify'],
    ['snapshot lst', 'snapshot list'],
    ['snapshots list', 'snapshot list'],
    ['git imprt x y', 'git import'],
    ['snapshto', 'snapshot'],
    ['nonsense', undefined],
    ['x', undefined],
  ]
  for (const [typed, want] of cases) it(typed, () => assert.equal(suggestCommand(typed.split(' '), commands), want))
})

describe('what is typed out of habit from git', () => {
  it('a command that weft does not have', () => {
    const { code, hint } = unknownCommand(['stash', 'pop'], ['status', 'shelve'])
    assert.equal(code, 'COMMAND_UNKNOWN')
    assert.match(hint ?? '', /weft shelve/)
  })
  it('with git before it', () => {
    assert.match(unknownCommand(['key', 'lsit'], ['key', 'key list']).hint ?? '', /Did you mean weft key list\?/)
    const { message, hint } = unknownCommand(['git', 'push', 'origin'], ['git export', 'push'])
    assert.match(message, /git push in/)
    assert.equal(hint, 'Run weft push.')
    assert.match(unknownCommand(['git', 'stash'], ['git export', 'shelve']).hint ?? '', /weft shelve/)
  })
  it('a name that objects have, too', () => assert.equal(commandHint('constructor'), undefined))

  const cases: [command: string, flag: string, want: RegExp | undefined][] = [
    ['commit', '-am', /Leave it out/],
    ['commit', '--fixup=HEAD', /weft undo/],
    ['clean', '-fd', /undone/],
    ['log', '--oneline', /log/],
    ['log', '--wide', undefined],
    ['op:log', '--oneline', undefined],
  ]
  for (const [command, flag, want] of cases) {
    it(`${command} ${flag}`, () => assert.match(flagHint(command, flag) ?? 'nothing', want ?? /^nothing$/))
  }
})
