/**
 * The pager: which one, and how the program behaves behind it on a terminal (one of `script`'s making).
 * @module
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { pagerCommand } from '../src/cli/pager.js'
import { imported } from './support/imported.js'
import { temporary } from './support/temp.js'
import { HOME, ROOT } from './support/weft.js'

describe('which pager', () => {
  const less = { program: 'less', args: ['-FRX'] }
  const cases: [env: Record<string, string>, want: unknown][] = [
    [{}, less],
    [{ PAGER: 'more' }, { shell: 'more' }],
    [{ PAGER: 'more', WEFT_PAGER: 'less -S' }, { shell: 'less -S' }],
    [{ PAGER: 'more', WEFT_PAGER: '' }, undefined],
    [{ PAGER: 'cat' }, undefined],
    [{ PAGER: 'more', TERM: 'dumb' }, undefined],
  ]
  for (const [env, want] of cases) it(JSON.stringify(env), () => assert.deepEqual(pagerCommand(env), want))
})

/** Where `script` is, the Linux one; empty where there is none. */
const SCRIPT =
  process.platform === 'linux' ? spawnSync('sh', ['-c', 'command -v script']).stdout.toString('utf8').trim() : ''

describe('on a terminal', { skip: SCRIPT !== '' ? false : 'there is no script here' }, () => {
  let dir: string
  const cache = temporary('cache')
  before(async () => {
    dir = (await imported('small')).dir
  })

  /** Runs weft on a terminal; returns what is seen there, and the status. */
  async function onTerminal(args: string, env: NodeJS.ProcessEnv, input = ''): Promise<[string, number]> {
    const command = `${process.execPath} ${join(ROOT, 'bin', 'run.js')} ${args}`
    const child = spawn(SCRIPT, ['-qefc', command, '/dev/null'], {
      cwd: dir,
      env: { ...process.env, WEFT_HOME: HOME, XDG_CACHE_HOME: cache, TERM: 'xterm', NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let seen = ''
    child.stdout.on('data', (part: Buffer) => {
      seen += part.toString('latin1')
      // The reader has the first screen, and is at the prompt.
      if (input !== '' && seen.includes('PROMPT')) child.stdin.end(input)
    })
    const [status] = (await once(child, 'close')) as [number]
    return [seen.replaceAll('\r\n', '\n'), status]
  }

  it('what is long goes through it, and what is said there is seen', async () => {
    const [seen, status] = await onTerminal('log', { PAGER: 'sed -e s/^/PAGED:/ -e 4q' })
    assert.match(seen, /^PAGED:version .*\nPAGED:git: .*\nPAGED:Author: .*\nPAGED:/)
    assert.equal(status, 0)
  })

  it('whoever leaves it early ends weft quietly', async () => {
    const [seen, status] = await onTerminal('grep e --history', { WEFT_PAGER: 'head -1' })
    assert.equal(seen.split('\n').length, 2, seen)
    assert.equal(status, 0)
  })

  it('it is waited for', async () => {
    const [seen] = await onTerminal('log -n 1', { PAGER: 'cat > /dev/null; sleep 0.3; echo the end' })
    assert.equal(seen, 'the end\n')
  })

  it('lists go through it', async () => {
    for (const args of ['branch', 'tag', 'ls', 'store scan P/']) {
      const [seen] = await onTerminal(args, { PAGER: 'sed s/^/PAGED:/' })
      assert.match(seen, /^PAGED:.*\n(PAGED:.*\n)+$/, args)
    }
  })

  it('there is none with --no-pager, with --json, and for commands that say little', async () => {
    const env = { PAGER: 'sed s/^/PAGED:/' }
    for (const args of ['log -n 1 --no-pager', '--no-pager log -n 1', 'log -n 1 --json', 'version']) {
      const [seen, status] = await onTerminal(args, env)
      assert.doesNotMatch(seen, /PAGED/, args)
      assert.equal(status, 0, args)
    }
  })

  it('one that is not there is said to be missing; without less there is simply none', async () => {
    assert.match((await onTerminal('log -n 1', { PAGER: 'no-such-pager' }))[0], /Hint: The pager cannot be started/)
    const [seen, status] = await onTerminal('log -n 1', {
      PATH: temporary('path'),
      WEFT_PAGER: undefined,
      PAGER: undefined,
    })
    assert.match(seen, /^version /)
    assert.equal(status, 0)
  })

  it('an error is said after it, and with its status', async () => {
    const [seen, status] = await onTerminal('log nothing', { PAGER: 'sed s/^/PAGED:/' })
    assert.match(seen, /^Error: There is no nothing/)
    assert.equal(status, 1)
  })

  it('is less, which is left with q', { skip: spawnSync('less', ['--version']).status !== 0 }, async () => {
    const env = { PAGER: 'less -FRX -PsPROMPT', LESS: '' }
    const [seen, status] = await onTerminal('log', env, 'q')
    assert.match(seen, /version /)
    assert.match(seen, /PROMPT/)
    assert.equal(status, 0)
  })
})
