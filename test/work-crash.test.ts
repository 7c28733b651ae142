/**
 * Commands that change a work tree die at every point at which they change something on the disk, one after the other.
 * Whoever opens the work tree next finds the old state or the new one, the store verifies, and what was not saved is there
 * or can be had back.
 *
 * `WEFT_CRASH_EVERY=1` takes every point; an ordinary run takes one in a few, other ones each time.
 * @module
 */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { clean } from '../src/worktree/clean.js'
import { merge } from '../src/worktree/merge.js'
import { movePaths } from '../src/worktree/move.js'
import { pick, revert } from '../src/worktree/pick.js'
import { removePaths } from '../src/worktree/remove.js'
import { resolveConflicts } from '../src/worktree/resolve.js'
import { restorePaths } from '../src/worktree/restore-paths.js'
import { shelve, unshelve } from '../src/worktree/shelve.js'
import { switchTo } from '../src/worktree/switch.js'
import { redo, undo } from '../src/worktree/undo.js'
import type { Worktree } from '../src/worktree/worktree.js'
import { dyingAt } from './support/fatal-point.js'
import { random } from './support/random.js'
import {
  AUTHOR,
  BINARY,
  committing,
  copyOf,
  edit,
  makeWorkRepo,
  type Seen,
  see,
  switching,
  withWork,
} from './support/work-repo.js'

type Act = (work: Worktree) => Promise<unknown>

interface Scenario {
  readonly name: string
  /** What is done before, to a copy of the repository. */
  readonly prepare?: (root: string) => unknown
  readonly act: Act
}

const chance = random('points of death')
const EVERY = Number(process.env['WEFT_CRASH_EVERY'] ?? 8)

/** The unsaved files take the places of what `dev` has there. */
function inTheWay(root: string): void {
  edit(root, { 'a.txt': 'unsaved\n', 'new/deep/e.txt': 'unsaved too\n', 'bin.dat': BINARY.subarray(5) })
  chmodSync(join(root, 'a.txt'), 0o755)
}

const merging: Act = (work) => merge(work, { author: AUTHOR, version: 'dev' })

const shelving: Act = (work) => shelve(work, { author: AUTHOR })

const SCENARIOS: readonly Scenario[] = [
  { name: 'commit', act: committing('all') },
  { name: 'commit of many kinds', prepare: inTheWay, act: committing('all') },
  { name: 'switch that carries changes along', act: switching('dev') },
  { name: 'switch that discards', prepare: inTheWay, act: switching('dev', true) },
  { name: 'switch to a new branch', act: (work) => switchTo(work, { to: 'dev', create: 'third' }) },
  {
    name: 'undo of a switch that discarded',
    prepare: (root) => {
      inTheWay(root)
      return withWork(root, switching('dev', true))
    },
    act: (work) => undo(work),
  },
  {
    name: 'undo by force over new changes',
    prepare: async (root) => {
      await withWork(root, switching('dev'))
      edit(root, { 'a.txt': 'changed since\n', 'bin.dat': 'this too\n', 'gone.txt': 'and this\n' })
    },
    act: (work) => undo(work, 1, true),
  },
  { name: 'undo of a commit', prepare: (root) => withWork(root, committing('all')), act: (work) => undo(work) },
  { name: 'undo of a switch', prepare: (root) => withWork(root, switching('dev')), act: (work) => undo(work) },
  {
    name: 'redo',
    prepare: (root) => withWork(root, switching('dev')).then(() => withWork(root, (work) => undo(work))),
    act: (work) => redo(work),
  },
  { name: 'merge', act: merging },
  {
    name: 'merge with conflicts',
    prepare: async (root) => {
      edit(root, { 'a.txt': 'line of main\n' })
      await withWork(root, committing('four'))
      edit(root, { 'untracked.txt': 'not saved once more\n' })
    },
    act: merging,
  },
  {
    name: 'resolve',
    prepare: async (root) => {
      edit(root, { 'a.txt': 'line of main\n' })
      await withWork(root, committing('four'))
      await withWork(root, merging)
    },
    act: (work) => resolveConflicts(work, { take: 'theirs' }),
  },
  { name: 'shelve', act: shelving },
  {
    name: 'unshelve on another branch',
    prepare: async (root) => {
      await withWork(root, shelving)
      await withWork(root, switching('dev'))
    },
    act: (work) => unshelve(work),
  },
  { name: 'pick', act: (work) => pick(work, { author: AUTHOR, versions: ['dev'] }) },
  { name: 'revert', act: (work) => revert(work, { author: AUTHOR, versions: ['main'] }) },
  { name: 'restore', prepare: inTheWay, act: (work) => restorePaths(work, { paths: [''], at: 'dev' }) },
  { name: 'clean', prepare: inTheWay, act: (work) => clean(work) },
  { name: 'mv', prepare: inTheWay, act: (work) => movePaths(work, { from: ['dir', 'a.txt'], to: 'new' }) },
  { name: 'rm', prepare: inTheWay, act: (work) => removePaths(work, ['dir', 'a.txt', 'link']) },
]

let base = ''
let trials = 0

before(async () => {
  base = await makeWorkRepo()
})

/** Opens a work tree as the next command would, looks at it, and has the store verified. */
function look(root: string, said: string): Promise<Seen> {
  return withWork(root, async (work) => {
    const seen = await see(work)
    const { ok, damage } = await work.repo.verify()
    assert.deepEqual({ ok, damage }, { ok: true, damage: [] }, said)
    assert.deepEqual(work.finished?.failures ?? [], [], said)
    return seen
  })
}

/** What `undo` makes of the new state is the old one but for the log. */
async function expectUndoable(root: string, old: Seen, said: string): Promise<void> {
  await withWork(root, (work) => undo(work))
  const { files, head, branch, refs, state } = await look(root, said)
  assert.deepEqual({ files, head, branch, refs, state }, {
    files: old.files, head: old.head, branch: old.branch, refs: old.refs, state: old.state,
  }, said) // biome-ignore format: two things side by side
}

/** The lock of the index that the dead one left is not ours, though we have its process id. */
function disown(root: string): void {
  const lock = join(root, '.weft/index.lock')
  if (existsSync(lock)) writeFileSync(lock, readFileSync(lock, 'latin1').replace(/^\d+/, '999999999'))
}

async function dieEverywhere({ name, prepare, act }: Scenario): Promise<void> {
  const start = copyOf(base, 'start')
  await prepare?.(start)
  const old = await look(copyOf(start), name)
  const calm = copyOf(start, 'calm')
  await withWork(calm, act)
  const after = await look(calm, name)
  assert.notDeepEqual(after, old, 'the scenario does something')
  const seen = { old: 0, after: 0 }
  const step = (): number => (EVERY === 1 ? 1 : 1 + chance.below(2 * EVERY - 1))
  for (let n = EVERY === 1 ? 1 : step(); ; n += step()) {
    const said = `${name}, dying at point ${n}, seed ${chance.seed}`
    const root = copyOf(start, 'trial')
    if (!(await dyingAt(n, () => withWork(root, act)))) break
    disown(root)
    // One in three dies once more while what it left is made good.
    if (chance.below(3) === 0) {
      await dyingAt(1 + chance.below(20), () => withWork(root, async () => undefined))
      disown(root)
    }
    const found = await look(root, said)
    const isOld = JSON.stringify(found) === JSON.stringify(old)
    if (!isOld) assert.deepEqual(found, after, said)
    seen[isOld ? 'old' : 'after']++
    if (!isOld && !name.startsWith('undo') && name !== 'redo') await expectUndoable(root, old, said)
    if (isOld) {
      // Nothing that was left behind stands in the way of another attempt.
      await withWork(root, act)
      assert.deepEqual(await look(root, said), after, said)
    }
    rmSync(root, { recursive: true })
    trials++
  }
  assert.ok(seen.old > 0 || seen.after > 0, name)
}

describe('a command that dies', () => {
  for (const scenario of SCENARIOS) it(scenario.name, () => dieEverywhere(scenario))

  it('was tried often', () => {
    console.log(`# ${trials} deaths`)
    assert.ok(trials > 50)
  })
})
