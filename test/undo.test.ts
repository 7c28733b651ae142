/**
 * Operations: whatever commands do to names, files and what is under way, undo takes back and redo does again, to the byte.
 * @module
 */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { toHex } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { formatUndo } from '../src/cli/format-work.js'
import { makeStyle } from '../src/cli/style.js'
import { encodeRefValue, isDeletion, readRefs } from '../src/history/refs.js'
import { commit, initRepository, merge, Repository, redo, switchTo, undo, Worktree } from '../src/index.js'
import { WorkIndex } from '../src/worktree/index-file.js'
import { filesBelow } from './support/disk.js'
import { random } from './support/random.js'
import { nowhere } from './support/temp.js'
import { HOME } from './support/weft.js'

const chance = random('operations')
const author = { name: 'Ada', email: 'ada@example.com' }

const PATHS = ['a.txt', 'b.txt', 'dir/c.txt', 'dir/deep/d.txt', 'e', 'dir2/f', 'dir2', 'dir/deep']

/** Makes room for a file: what is there goes, and so does a file where a directory is needed. */
function makeRoom(path: string): void {
  const parent = dirname(path)
  if (!existsSync(parent) || !lstatSync(parent).isDirectory()) {
    makeRoom(parent)
    mkdirSync(parent)
  }
  rmSync(path, { force: true, recursive: true })
}

/** Changes files of a work tree as a person would. */
function edit(root: string): void {
  for (let i = 0; i <= chance.below(3); i++) {
    const path = join(root, PATHS[chance.below(PATHS.length)] as string)
    const what = chance.below(10)
    if (what === 0 && existsSync(path)) rmSync(path, { recursive: true })
    else if (what < 2) {
      makeRoom(path)
      symlinkSync(`somewhere ${chance.below(5)}`, path)
    } else {
      makeRoom(path)
      const lines = Array.from({ length: 1 + chance.below(12) }, () => `line ${chance.below(9)}\n`)
      writeFileSync(path, what === 2 ? `\0${lines.join('')}` : lines.join(''))
      chmodSync(path, chance.below(6) === 0 ? 0o755 : 0o644)
    }
  }
}

/** All that undo has to bring back. */
async function everything(repo: Repository, work: Worktree): Promise<unknown> {
  const refs = (await readRefs(repo.entries)).filter(({ value }) => !isDeletion(value))
  const index = WorkIndex.read(repo.root)
  return {
    refs: refs
      .map(({ kind, name, value }) => `${kind} ${name} ${toHex(encodeRefValue({ ...value, replaces: [] }))}`)
      .sort(),
    head: await repo.head(),
    state: JSON.parse(JSON.stringify(work.state)) as unknown,
    files: [...filesBelow(repo.root)].filter(([path]) => !path.startsWith('.weft/')),
    index: index && [...index.all()].map(({ path, sha256, mode }) => `${path} ${mode} ${toHex(sha256)}`),
  }
}

/** One command, as likely as not to be refused. */
async function act(work: Worktree): Promise<string> {
  const branches = ['main', 'topic', 'other']
  const branch = branches[chance.below(3)] as string
  switch (chance.below(5)) {
    case 0:
      return `switch ${(await switchTo(work, { to: branch, discard: chance.below(2) === 0 })).branch}`
    case 1:
      return `create ${(await switchTo(work, { create: branch })).branch}`
    case 2:
      return `merge ${(await merge(work, { version: branch, author })).kind}`
    default:
      return `commit ${(await commit(work, { message: 'x', author, withConflicts: true })).version}`
  }
}

describe('operations', () => {
  for (let round = 1; round <= 3; round++) {
    it(`are taken back and done again to the byte: ${round}`, async () => {
      const root = nowhere('undo')
      await initRepository(root, 'main', { home: HOME })
      await using repo = await Repository.open(root, { home: HOME })
      const work = await Worktree.open(repo)
      const done: string[] = []
      for (let n = 0; n < 30; n++) {
        if (chance.below(3) > 0) edit(root)
        const before = await everything(repo, work)
        const said = () => `seed ${chance.seed}, round ${round}: ${done.slice(-6).join('; ')}`
        try {
          done.push(await act(work))
        } catch (error) {
          if (!(error instanceof CodedError)) throw error
          assert.deepEqual(await everything(repo, work), before, `${error.code} changed something, ${said()}`)
          continue
        }
        const after = await everything(repo, work)
        if (done.at(-1)?.startsWith('merge already') === true) continue
        if (chance.below(2) === 0) continue
        await undo(work)
        assert.deepEqual(await everything(repo, work), before, `undo, ${said()}`)
        assert.deepEqual(await everything(repo, await Worktree.open(repo)), before, `undo, opened again, ${said()}`)
        if (chance.below(2) === 0) continue
        await redo(work)
        assert.deepEqual(await everything(repo, work), after, `redo, ${said()}`)
      }
      assert.deepEqual((await repo.verify()).damage, [])
      assert.ok(done.length > 10, done.join('; '))
    })
  }

  it('are called the same however often they were done again', async () => {
    const root = nowhere('again')
    await initRepository(root, 'main', { home: HOME })
    await using repo = await Repository.open(root, { home: HOME })
    const work = await Worktree.open(repo)
    writeFileSync(join(root, 'f'), 'f')
    const { version } = await commit(work, { message: 'one', author })
    const named = `commit: ${version.slice(0, 12)} one`
    for (let i = 0; i < 3; i++) {
      const { operations } = await undo(work)
      if (i > 0) assert.deepEqual([operations[0]?.command, operations[0]?.summary], ['redo', named])
      await redo(work)
    }
    assert.equal(formatUndo(await undo(work), makeStyle(false, false)), `Undone: ${named}\nweft redo does it again.\n`)
  })

  it('that are done when one of several is refused are counted', async () => {
    const root = nowhere('several')
    await initRepository(root, 'main', { home: HOME })
    await using repo = await Repository.open(root, { home: HOME })
    const work = await Worktree.open(repo)
    writeFileSync(join(root, 'f'), 'one')
    await commit(work, { message: 'one', author })
    await switchTo(work, { create: 'side' })
    writeFileSync(join(root, 'f'), 'two')
    await commit(work, { message: 'two', author })
    await switchTo(work, { to: 'main' })
    await switchTo(work, { create: 'other' })
    writeFileSync(join(root, 'f'), 'three')
    await assert.rejects(undo(work, 9), { code: 'WOULD_LOSE', message: /: f\. The one before it is done\.$/ })
    assert.equal(work.head.branch, 'main')
  })

  it('keep unsaved contents that they replace', async () => {
    const root = nowhere('kept')
    await initRepository(root, 'main', { home: HOME })
    await using repo = await Repository.open(root, { home: HOME })
    const work = await Worktree.open(repo)
    const path = join(root, 'f')
    writeFileSync(path, 'one\n')
    await commit(work, { message: 'one', author })
    await switchTo(work, { create: 'topic' })
    writeFileSync(path, 'two\n')
    await commit(work, { message: 'two', author })
    writeFileSync(path, 'never saved\n')
    await assert.rejects(switchTo(work, { to: 'main' }), { code: 'WOULD_LOSE' })
    await switchTo(work, { to: 'main', discard: true })
    assert.equal(readFileSync(path, 'utf8'), 'one\n')
    await undo(work)
    assert.equal(readFileSync(path, 'utf8'), 'never saved\n')
    writeFileSync(path, 'changed since\n')
    await assert.rejects(redo(work), { code: 'WOULD_LOSE' })
    await redo(work, 1, true)
    assert.equal(readFileSync(path, 'utf8'), 'one\n')
    await undo(work)
    assert.equal(readFileSync(path, 'utf8'), 'changed since\n')
    assert.ok(existsSync(join(root, '.weft', 'kept')))
  })
})
