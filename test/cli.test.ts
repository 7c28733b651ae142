/**
 * The wiring of the command line, run as a user runs it: directories, exit statuses, errors, help, colours, pipes.
 *
 * What the commands answer is for the tests of the library; here it only has to arrive.
 * @module
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { before, describe, it } from 'node:test'
import { Repository } from '../src/repo/repository.js'
import type {
  Blame,
  GrepMatch,
  StoreEntry,
  StoreStat,
  TreeEntry,
  VersionDetail,
  VersionInfo,
} from '../src/repo/results.js'
import { fixture } from './support/corpus.js'
import { nowhere, temporary } from './support/temp.js'
import { HOME, ROOT, weft, weftFails, weftJson } from './support/weft.js'

const REPO = temporary('repository')
const EMPTY = temporary('empty')

/** A text file of the newest version that is not at its top. */
let deep = ''

before(async () => {
  await weftJson(['git', 'import', fixture('small'), REPO])
  const entries = await weftJson<TreeEntry[]>(['ls', '-C', REPO])
  const found = entries.find(({ path, kind, size }) => /\/.*\.md$/.test(path) && kind === 'file' && size > 0)
  assert.ok(found, 'the fixture has no text file in a directory')
  deep = found.path
})

describe('-C', () => {
  it('is taken before and after the command', async () => {
    const { status, stdout, stderr } = await weft(['log'], { cwd: REPO })
    assert.equal(status, 0, stderr)
    assert.match(String(stdout), /^version [0-9a-f]{12}/)
    const above = dirname(REPO)
    const forms = [
      ['-C', REPO, 'log'],
      ['log', '-C', REPO],
      [`-C${REPO}`, 'log'],
      ['-C', above, '-C', basename(REPO), 'log'],
      ['-C', above, 'log', '-C', basename(REPO)],
    ]
    for (const args of forms) assert.deepEqual((await weft(args)).stdout, stdout, args.join(' '))
  })

  it('may name a directory inside the repository, and paths count from there', async () => {
    const inside = join(REPO, dirname(deep))
    mkdirSync(inside, { recursive: true })
    const whole = await weft(['cat', deep, '-C', REPO])
    assert.equal(whole.status, 0, whole.stderr)
    assert.deepEqual((await weft(['cat', basename(deep), '-C', inside])).stdout, whole.stdout)
  })

  it('is where a relative --to counts from', async () => {
    const [newest] = await weftJson<VersionInfo[]>(['log', '-n', '1', '-C', REPO])
    const to = `../${basename(REPO)}-restored`
    const { status, stderr } = await weft(['restore', deep, '--at', newest?.id ?? '', '--to', to, '-C', REPO])
    assert.equal(status, 0, stderr)
    assert.ok(statSync(join(REPO, to, deep)).isFile())
  })

  it('that is not there is a user error', async () => {
    for (const args of [
      ['-C', nowhere(), 'log'],
      ['log', '-C', nowhere()],
    ]) {
      const { status, code } = await weftFails(args)
      assert.deepEqual([status, code], [1, 'DIR_NOT_FOUND'], args.join(' '))
    }
  })
})

describe('WEFT_DEBUG', () => {
  it('shows where in the sources an error is from', async () => {
    const { stderr, status } = await weft(['blame', 'nothing'], { cwd: ROOT, env: { WEFT_DEBUG: '1' } })
    assert.equal(status, 1)
    assert.match(stderr, /^Error: .*\nHint: .*\nCodedError: .*\n( +at .*\n)* +at .*src\/repo\/\w+\.ts:\d+:\d+/)
  })
})

describe('exit statuses and errors', () => {
  const cases: [args: string[], status: number, code: string][] = [
    [['log', '-C', EMPTY], 1, 'REPO_NOT_FOUND'],
    [['cat', 'no/such/file', '-C', REPO], 1, 'PATH_UNKNOWN'],
    [['cat', 'x', '--at', 'nonsense', '-C', REPO], 1, 'V_UNKNOWN'],
    [['cat', `sha256:${'0'.repeat(64)}`, '-C', REPO], 1, 'CONTENT_UNKNOWN'],
    [['cat', 'sha256:12', '-C', REPO], 2, 'USAGE'],
    [['nonsense'], 2, 'COMMAND_UNKNOWN'],
    [['store', 'nonsense'], 2, 'COMMAND_UNKNOWN'],
    [['log', '--nonsense'], 2, 'USAGE'],
    [['log', '-n', 'many'], 2, 'USAGE'],
    [['cat'], 2, 'USAGE'],
    [['restore', '--to', 'x'], 2, 'USAGE'],
    [['log', 'a', 'b'], 2, 'USAGE'],
    [['undo', 'all', '-C', REPO], 2, 'USAGE'],
    [['undo', '0', '-C', REPO], 2, 'USAGE'],
    [['grep', 'a(', '-C', REPO], 2, 'USAGE'],
    [['completion', 'tcsh'], 2, 'USAGE'],
  ]
  for (const [args, status, code] of cases) {
    it(`weft ${args.filter((arg) => !arg.startsWith('/')).join(' ')}: ${status} ${code}`, async () => {
      const failure = await weftFails(args)
      assert.deepEqual([failure.status, failure.code], [status, code])
      const words = await weft(args)
      assert.equal(words.status, status)
      assert.equal(String(words.stdout), '')
      assert.match(words.stderr, /^Error: [^\n]+\n(Hint: [^\n]+\n)?$/)
    })
  }

  const asPaths: [args: string[], hint: RegExp][] = [
    [['diff', '--at', 'HEAD~1..HEAD', 'HEAD~1'], /weft diff --at HEAD~1$/],
    [['diff', '--at', 'HEAD~1..HEAD', 'HEAD~2..HEAD'], /weft diff --at HEAD~2\.\.HEAD$/],
    [['log', 'main~2..main'], /weft log --at main /],
    [['log', '-5'], /weft log -n 5\?$/],
    [['log', 'no/such..file'], /weft ls/],
  ]
  for (const [args, hint] of asPaths) {
    it(`weft ${args.join(' ')}: a version is no path`, async () => {
      const failure = await weftFails([...args, '-C', REPO])
      assert.deepEqual([failure.status, failure.code], [1, 'PATH_UNKNOWN'])
      assert.match(failure.hint ?? '', hint)
    })
  }

  it('a stack trace is for WEFT_DEBUG only', async () => {
    const { stderr } = await weft(['log', '-C', EMPTY], { env: { WEFT_DEBUG: '1' } })
    assert.match(stderr, /\n\s+at /)
  })

  it('a -C without its directory is bad usage', async () => {
    const { status, stderr } = await weft(['-C'])
    assert.deepEqual([status, stderr], [2, 'Error: The flag -C expects a directory.\n'])
  })

  const meant: [typed: string[], meant: string][] = [
    [['lgo'], 'weft log'],
    [['blaem', 'a.c'], 'weft blame'],
    [['snapshot', 'lst'], 'weft snapshot list'],
    [['git', 'imprt', 'x'], 'weft git import'],
  ]
  for (const [typed, want] of meant) {
    it(`weft ${typed.join(' ')}: did you mean ${want}`, async () => {
      assert.match((await weft(typed)).stderr, new RegExp(`Hint: Did you mean ${want}\\?\n$`))
    })
  }
})

describe('help', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'dist/cli/oclif.manifest.json'), 'utf8')) as {
    commands: Record<string, { id: string }>
  }
  const commands = Object.keys(manifest.commands).map((id) => id.split(':'))

  it('knows all commands', async () => {
    assert.ok(commands.length >= 20, `only ${commands.length} commands`)
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      const { status, stdout, stderr } = await weft(args)
      assert.deepEqual([status, stderr], [0, ''], args.join(' '))
      for (const [first = ''] of commands) assert.match(String(stdout), new RegExp(`^  ${first} `, 'm'))
    }
  })

  for (const words of commands) {
    it(`weft ${words.join(' ')} --help`, async () => {
      const { status, stdout, stderr } = await weft([...words, '--help'])
      assert.deepEqual([status, stderr], [0, ''])
      const text = String(stdout)
      if (words[0] === 'help') return // which is about weft as a whole
      assert.match(text, /^[A-Z][^\n]+[^.\n]\n\nUSAGE\n {2}\$ weft /, 'summary and usage')
      assert.match(text, /\nEXAMPLES\n/)
      for (const line of text.split('\n')) assert.ok(line.length <= 80, `longer than 80: ${line}`)
      assert.equal(String((await weft(['help', ...words])).stdout), text)
    })
  }

  it('of a topic lists its commands', async () => {
    const { status, stdout } = await weft(['snapshot'])
    assert.equal(status, 0)
    for (const name of ['create', 'list', 'restore', 'show'])
      assert.match(String(stdout), new RegExp(`snapshot ${name} `))
  })
})

describe('answers', () => {
  it('the version, in all its forms', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    for (const flag of ['--version', '-v']) assert.equal(String((await weft([flag])).stdout), `weft ${version}\n`)
    assert.match(String((await weft(['version'])).stdout), new RegExp(`^weft ${version} \\(`))
    assert.equal((await weftJson<{ version: string }>(['version'])).version, version)
  })

  it('--json before the command too', async () => {
    const { stdout } = await weft(['--json', 'version'])
    assert.equal(typeof (JSON.parse(String(stdout)) as { version: string }).version, 'string')
  })

  it('the identity key', async () => {
    const key = await weftJson<{ publicKey: string; fingerprint: string; path: string }>(['key'])
    assert.match(key.publicKey, /^[0-9a-f]{64}$/)
    assert.match(key.fingerprint, /^[0-9a-f]{16}$/)
    assert.ok(key.path.startsWith(HOME))
    assert.match(String((await weft(['key'])).stdout), new RegExp(key.fingerprint))
  })

  it('log, show, ls, blame and grep say the same in words and in JSON', async () => {
    const at = ['-C', REPO]
    const [version] = await weftJson<VersionInfo[]>(['log', '-n', '1', ...at])
    const id = version?.id ?? ''
    assert.match(
      String((await weft(['log', '-n', '1', ...at])).stdout),
      new RegExp(`^version ${id.slice(0, 12)} \\(main\\)\n`),
    )
    assert.equal((await weftJson<VersionDetail>(['show', id.slice(0, 10), ...at])).id, id)
    assert.match(String((await weft(['show', id, ...at])).stdout), new RegExp(`^version ${id}`))
    assert.equal((await weftJson<VersionDetail>(['show', ...at])).id, id)
    const [entry] = await weftJson<TreeEntry[]>(['ls', deep, ...at])
    assert.equal(entry?.path, deep)
    assert.match(
      String((await weft(['ls', deep, ...at])).stdout),
      new RegExp(`^${entry?.mode} .* ${entry?.sha256.slice(0, 12)} `),
    )
    const blame = await weftJson<Blame>(['blame', deep, ...at])
    const words = String((await weft(['blame', deep, ...at])).stdout)
      .trimEnd()
      .split('\n')
    assert.equal(words.length, blame.lines.length)
    const [line] = blame.lines
    assert.ok(line && words[0]?.startsWith(line.version.slice(0, 12)) && words[0].endsWith(line.text))
    const text = line.text
    const matches = await weftJson<GrepMatch[]>(['grep', '-F', ...at, text, deep])
    assert.ok(matches.some((match) => match.n === 1 && match.path === deep && match.text === text))
    const history = await weftJson<GrepMatch[]>(['grep', '-F', '--history', ...at, text, deep])
    assert.ok(history.some((match) => match.put.version === line.version))
  })

  it('a log of nothing is an empty array', async () => {
    assert.deepEqual(await weftJson(['log', '-n', '0', '-C', REPO]), [])
    assert.equal(String((await weft(['log', '-n', '0', '-C', REPO])).stdout), '')
  })

  it('the store: what scan prints, get takes', async () => {
    const stat = await weftJson<StoreStat>(['store', 'stat', '-C', REPO])
    const entries = await weftJson<StoreEntry[]>(['store', 'scan', '', '-C', REPO])
    assert.equal(entries.length, stat.entries)
    const [entry] = entries
    assert.deepEqual(await weftJson(['store', 'get', entry?.key ?? '', '-C', REPO]), entry)
  })

  it('a snapshot, made, listed, shown and restored', async () => {
    const at = ['-C', REPO]
    await weftJson(['snapshot', 'create', 'here', ...at])
    assert.match(String((await weft(['snapshot', 'list', ...at])).stdout), /here\n/)
    assert.match(String((await weft(['snapshot', 'show', 'here', ...at])).stdout), /^Snapshot {2}here\n/)
    const to = nowhere()
    const { status, stderr } = await weft(['snapshot', 'restore', 'here', '--to', to, ...at])
    assert.equal(status, 0, stderr)
    assert.ok(existsSync(join(to, deep)))
  })

  it('nothing on stderr when it is no terminal', async () => {
    for (const args of [['verify'], ['log'], ['ls']]) assert.equal((await weft([...args, '-C', REPO])).stderr, '')
  })
})

describe('colours', () => {
  const cases: [name: string, env: Record<string, string | undefined>, coloured: boolean][] = [
    ['none in a pipe', { NO_COLOR: undefined }, false],
    ['where they are forced', { NO_COLOR: undefined, FORCE_COLOR: '1' }, true],
    ['none with NO_COLOR, forced or not', { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ]
  for (const [name, env, coloured] of cases) {
    it(name, async () => {
      const { stdout } = await weft(['log', '-n', '1', '-C', REPO], { env })
      assert.equal(stdout.includes('\x1b['), coloured)
    })
  }
})

describe('pipes and interrupts', () => {
  it('a closed pipe ends the program quietly with status 0', async () => {
    for (const args of [['log'], ['log', '--json'], ['cat', deep], ['--help']]) {
      const { status, stderr } = await weft([...args, ...(args[0] === '--help' ? [] : ['-C', REPO])], {
        onStart: (child) => child.stdout?.destroy(),
      })
      assert.deepEqual([status, stderr], [0, ''], args.join(' '))
    }
  })

  it('an interrupt ends it with status 130', async () => {
    // Holding the store makes the program wait, and it says so: a moment at which it can be interrupted.
    await using _ = await Repository.open(REPO)
    const child = spawn(process.execPath, [join(ROOT, 'bin/run.js'), 'log', '-C', REPO], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr.once('data', () => child.kill('SIGINT'))
    assert.deepEqual(await once(child, 'exit'), [130, null])
  })
})

describe('completion', () => {
  const bash = spawnSync('bash', ['--version']).status === 0

  it('in bash', { skip: bash ? false : 'there is no bash' }, async () => {
    const script = String((await weft(['completion', 'bash'])).stdout)
    const ask = (...words: string[]): string[] => {
      const typed = words.map((word) => `'${word}'`).join(' ')
      const program = `${script}\nCOMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _weft; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8' })
      assert.equal(stderr, '')
      return stdout.split('\n').filter((word) => word !== '')
    }
    assert.deepEqual(ask('weft', 'bl'), ['blame'])
    assert.deepEqual(ask('weft', '-C', '/tmp', 'snapsh'), ['snapshot'])
    assert.deepEqual(ask('weft', 'snapshot', ''), ['create', 'list', 'restore', 'show'])
    assert.deepEqual(ask('weft', 'grep', '--hi'), ['--history'])
    assert.deepEqual(ask('weft', 'restore', '--to', ROOT.slice(0, -1)).includes(ROOT), true)
  })

  for (const shell of ['zsh', 'fish']) {
    it(`in ${shell} names every command`, async () => {
      const script = String((await weft(['completion', shell])).stdout)
      for (const word of ['blame', 'import', 'snapshot', 'restore', 'history']) assert.match(script, new RegExp(word))
    })
  }
})
