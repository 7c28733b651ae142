/**
 * Real processes are killed for good: at a call that changes something on the disk, or at any moment. The next command
 * finds the old state or the new one, and nothing unsaved is lost.
 *
 * `WEFT_KILLS=500` says how many; an ordinary run has a few dozen.
 * @module
 */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Repository } from '../src/repo/repository.js'
import { switchTo } from '../src/worktree/switch.js'
import { undo } from '../src/worktree/undo.js'
import { random } from './support/random.js'
import { type Outcome, weft, weftJson } from './support/weft.js'
import { committing, copyOf, edit, makeWorkRepo, type Seen, see, switching, withWork } from './support/work-repo.js'

const KILLS = Number(process.env['WEFT_KILLS'] ?? 48)
const PRELOAD = join(import.meta.dirname, 'support/kill-preload.mjs')
const ENV = { WEFT_AUTHOR_NAME: 'Test', WEFT_AUTHOR_EMAIL: 'test@example.org' }

interface Scenario {
  readonly args: readonly string[]
  readonly prepare?: (root: string) => unknown
}

function inTheWay(root: string): void {
  edit(root, { 'a.txt': 'unsaved\n', 'new/deep/e.txt': 'unsaved too\n' })
}

const SCENARIOS: readonly Scenario[] = [
  { args: ['commit', '-m', 'all'] },
  { args: ['switch', 'dev', '--discard'], prepare: inTheWay },
  { args: ['switch', '-c', 'third', 'dev'] },
  {
    args: ['undo'],
    prepare: (root) => {
      inTheWay(root)
      return withWork(root, switching('dev', true))
    },
  },
  { args: ['redo'], prepare: (root) => withWork(root, switching('dev')).then(() => withWork(root, (w) => undo(w))) },
  { args: ['merge', 'dev'] },
  { args: ['shelve', '-m', 'aside'], prepare: inTheWay },
  { args: ['restore', 'same.txt', 'a.txt'], prepare: inTheWay },
]

const chance = random('kills')

/** Runs a command that is killed on its n-th change of the disk, or after so many milliseconds. */
function killed(args: readonly string[], root: string, at: { call?: number; after?: number }): Promise<Outcome> {
  const kill = at.call === undefined ? {} : { NODE_OPTIONS: `--import ${PRELOAD}`, WEFT_KILL_AT: String(at.call) }
  return weft([...args, '-C', root], {
    env: { ...ENV, ...kill },
    onStart: (child) => {
      if (at.after !== undefined) setTimeout(() => child.kill('SIGKILL'), at.after)
    },
  })
}

function look(root: string): Promise<Seen> {
  return withWork(root, async (work) => {
    const seen = await see(work)
    assert.deepEqual((await work.repo.verify()).damage, [])
    return seen
  })
}

describe('a process that is killed', () => {
  let died = 0
  for (const { args, prepare } of SCENARIOS) {
    it(args.join(' '), async () => {
      const start = copyOf(await makeWorkRepo(), 'start')
      await prepare?.(start)
      const old = await look(copyOf(start))
      const calm = copyOf(start)
      await weftJson([...args, '-C', calm], { env: ENV })
      const after = await look(calm)
      for (let i = 0; i < KILLS / SCENARIOS.length; i++) {
        const at = i % 3 === 2 ? { after: 60 + chance.below(200) } : { call: 1 + chance.below(45) }
        const root = copyOf(start, 'trial')
        const { signal } = await killed(args, root, at)
        const said = `${args.join(' ')}, ${JSON.stringify(at)}, seed ${chance.seed}`
        if (signal === 'SIGKILL') died++
        // Whatever command comes first, status among them, finishes what was begun.
        if (i % 4 === 0) assert.equal((await weft(['status', '-C', root], { env: ENV })).status, 0, said)
        const found = await look(root)
        if (JSON.stringify(found) !== JSON.stringify(old)) assert.deepEqual(found, after, said)
        rmSync(root, { recursive: true })
      }
    })
  }

  it('while it exports to git', async () => {
    const root = await makeWorkRepo()
    const was = await look(root)
    for (let i = 0; i < Math.max(4, KILLS / 10); i++) {
      const to = join(copyOf(root, 'export'), 'git')
      const { signal } = await killed(['git', 'export', to], root, { after: 80 + chance.below(250) })
      if (signal === 'SIGKILL') died++
      assert.deepEqual(await look(root), was)
      await weftJson(['git', 'export', to, '-C', root], { env: ENV })
    }
  })

  it('is finished by the next that opens the repository, whatever it does', async () => {
    const root = await makeWorkRepo()
    await withWork(root, (work) => switchTo(work, { create: 'other' }))
    await killed(['commit', '-m', 'x'], root, { call: 14 })
    await weftJson(['snapshot', 'create', 'one', '-C', root], { env: ENV })
    await weftJson(['log', '-C', root])
    await withWork(root, committing('y')).catch((error: { code?: string }) => {
      assert.equal(error.code, 'NOTHING_TO_COMMIT')
    })
    await (await Repository.open(root))[Symbol.asyncDispose]()
  })

  it('was killed often', () => {
    console.log(`# ${died} processes killed`)
    assert.ok(died > KILLS / 4)
  })
})
