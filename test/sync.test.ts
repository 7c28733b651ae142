/**
 * Replicas bring each other up to date: what goes, what stays, what becomes of the files.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Repository } from '../src/repo/repository.js'
import type { Call } from '../src/sync/exchange.js'
import { createBranch, deleteBranch } from '../src/worktree/branches.js'
import { follow } from '../src/worktree/follow.js'
import { initRepository } from '../src/worktree/init.js'
import { merge } from '../src/worktree/merge.js'
import { shelve } from '../src/worktree/shelve.js'
import { workStatus } from '../src/worktree/status.js'
import { undo } from '../src/worktree/undo.js'
import { asking, cloneOf, entriesIn, peerOf, refsIn, wrapped } from './support/replicas.js'
import { quick } from './support/temp.js'
import { HOME } from './support/weft.js'
import { AUTHOR, committing, edit, withWork } from './support/work-repo.js'

async function repository(): Promise<string> {
  const root = quick('repo')
  await initRepository(root, 'main', { home: HOME })
  edit(root, { 'a.txt': 'one\ntwo\nthree\n' })
  await withWork(root, committing('first'))
  return root
}

async function change(root: string, path: string, text: string, message = `write ${path}`): Promise<void> {
  edit(root, { [path]: text })
  await withWork(root, committing(message))
}

const following = (root: string) => withWork(root, (work) => follow(work, 'pull'))
const merging = (root: string) => withWork(root, (work) => merge(work, { author: AUTHOR }))

async function verified(root: string): Promise<void> {
  await using repo = await Repository.open(root, { home: HOME })
  assert.deepEqual((await repo.verify()).damage, [])
}

describe('two replicas', () => {
  it('have the same entries and names after a sync, whoever asks', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await change(a, 'a.txt', 'one\nTWO\nthree\n')
    await change(b, 'b.txt', 'b\n')
    const asked = await asking(b, peerOf(a), 'sync')
    assert.deepEqual([asked.exchanges, asked.refused, asked.refusedThere, asked.waitingThere], [1, [], [], 0])
    assert.deepEqual(await entriesIn(a), await entriesIn(b))
    assert.deepEqual(await refsIn(a), await refsIn(b))
    assert.equal((await refsIn(a)).length, 2, 'the branch has two heads')
    await merging(b)
    await asking(a, peerOf(b), 'sync')
    assert.equal((await refsIn(a)).length, 1)
    assert.deepEqual(await entriesIn(a), await entriesIn(b))
    const { moved } = await following(a)
    assert.equal(moved, true)
    assert.equal(readFileSync(join(a, 'b.txt'), 'utf8'), 'b\n')
    assert.equal(readFileSync(join(b, 'a.txt'), 'utf8'), 'one\nTWO\nthree\n')
    await verified(a)
    await verified(b)
  })

  it('with nothing new say so in a few hundred bytes', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    const asked = await asking(b, peerOf(a), 'sync')
    assert.deepEqual([asked.sent, asked.accepted.length, asked.exchanges], [0, 0, 1])
    assert.ok(asked.bytesReceived < 300 && asked.bytesSent < 300, JSON.stringify(asked))
  })

  it('pull without sending, and push without taking', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await change(a, 'from-a', 'a\n')
    await change(b, 'from-b', 'b\n')
    const pulled = await asking(b, peerOf(a), 'pull')
    assert.equal(pulled.sent, 0)
    assert.equal((await entriesIn(a)).size < (await entriesIn(b)).size, true)
    const pushed = await asking(b, peerOf(a), 'push')
    assert.deepEqual([pushed.sent, pushed.accepted.length], [1, 0])
    assert.deepEqual(await entriesIn(a), await entriesIn(b))
  })

  it('do not give away what is shelved or was undone, until it is on a branch', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await change(a, 'undone', 'nobody shall see this\n')
    await withWork(a, (work) => undo(work, 1))
    edit(a, { undone: undefined, shelved: 'nor this\n' })
    await withWork(a, (work) => shelve(work, { author: AUTHOR }))
    await asking(b, peerOf(a), 'sync')
    const c = await cloneOf(a)
    for (const root of [b, c]) {
      const values = [...(await entriesIn(root)).values()].map((hex) => Buffer.from(hex, 'hex').toString('latin1'))
      assert.equal(
        values.some((text) => /nobody shall see this|nor this/.test(text)),
        false,
      )
      await verified(root)
    }
    assert.deepEqual(await refsIn(a), await refsIn(b))
    assert.deepEqual(await refsIn(a), await refsIn(c))
  })

  it('keep giving what was once given, whatever became of its name', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await withWork(a, (work) => createBranch(work, 'topic'))
    await withWork(a, async (work) => (await import('../src/worktree/switch.js')).switchTo(work, { to: 'topic' }))
    await change(a, 't', 'topic\n')
    await asking(b, peerOf(a), 'pull')
    await withWork(a, async (work) => (await import('../src/worktree/switch.js')).switchTo(work, { to: 'main' }))
    await withWork(a, (work) => deleteBranch(work, 'topic', true))
    await asking(b, peerOf(a), 'sync')
    const c = await cloneOf(b)
    assert.deepEqual(await entriesIn(a), await entriesIn(c))
    assert.deepEqual(await refsIn(a), await refsIn(c))
    assert.equal(
      (await refsIn(c)).some((text) => text.startsWith('btopic') && !text.endsWith(' -')),
      false,
    )
  })

  it('of different repositories do not mix', async () => {
    const a = await repository()
    const other = await repository()
    const before = await entriesIn(a)
    for (const direction of ['pull', 'push', 'sync'] as const) {
      await assert.rejects(asking(a, peerOf(other), direction), { code: 'REPO_OTHER' })
    }
    assert.deepEqual(await entriesIn(a), before)
  })

  it('reach a third through each other', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    const c = await cloneOf(b)
    await change(a, 'a', 'a\n')
    await change(c, 'c', 'c\n')
    await asking(b, peerOf(a), 'sync')
    await asking(b, peerOf(c), 'sync')
    await asking(a, peerOf(b), 'sync')
    assert.deepEqual(await entriesIn(a), await entriesIn(b))
    assert.deepEqual(await entriesIn(c), await entriesIn(b))
  })
})

describe('a peer whose first words cannot be waited for', () => {
  const held = (root: string) => wrapped(peerOf(root), (call) => call, false)

  it('is told in one exchange what is newer than what it had', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await asking(b, held(a), 'sync')
    // Streams that nobody has seen are not sent before it is known that no others have their ids.
    await change(b, 'new', 'new\n')
    const first = await asking(b, held(a), 'sync')
    assert.deepEqual([first.exchanges, first.sent], [2, 1])
    await change(b, 'newer', 'newer\n')
    const asked = await asking(b, held(a), 'sync')
    assert.deepEqual([asked.exchanges, asked.sent], [1, 1])
    assert.deepEqual(await entriesIn(a), await entriesIn(b))
  })

  it('is told in a second one what was wrong about that', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    const c = await cloneOf(a)
    await change(b, 'new', 'new\n')
    // Never spoken to before: nothing is known of it.
    const fresh = await asking(c, held(b), 'sync')
    assert.equal(fresh.accepted.length > 0, true)
    await change(c, 'more', 'more\n')
    const asked = await asking(c, held(a), 'push')
    assert.equal(asked.exchanges <= 2, true)
    assert.equal(asked.waitingThere, 0)
    assert.deepEqual(await entriesIn(a), await entriesIn(c))
  })
})

describe('the files of a branch that went on elsewhere', () => {
  it('follow, with unsaved changes', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await change(a, 'new', 'new\n')
    edit(b, { 'a.txt': 'one\ntwo\nthree\nmine\n' })
    await asking(b, peerOf(a), 'pull')
    const report = await following(b)
    assert.deepEqual([report.moved, report.files, report.carried], [true, 1, ['a.txt']])
    assert.equal(readFileSync(join(b, 'a.txt'), 'utf8'), 'one\ntwo\nthree\nmine\n')
    assert.equal(readFileSync(join(b, 'new'), 'utf8'), 'new\n')
  })

  it('stay where unsaved changes would be lost, and status says what is there', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await change(a, 'a.txt', 'one\n2\nthree\n')
    edit(b, { 'a.txt': 'one\nzwei\nthree\n' })
    await asking(b, peerOf(a), 'pull')
    const report = await following(b)
    assert.deepEqual([report.moved, report.held?.code], [false, 'WOULD_LOSE'])
    assert.equal(readFileSync(join(b, 'a.txt'), 'utf8'), 'one\nzwei\nthree\n')
    assert.equal((await workStatus(b)).newerHeads?.length, 1)
  })

  it('stay where there are two heads; status says so on both sides until they are merged', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await change(a, 'from-a', 'a\n')
    await change(b, 'from-b', 'b\n')
    await asking(b, peerOf(a), 'sync')
    assert.equal((await following(b)).otherHeads.length, 1)
    assert.equal((await workStatus(b)).otherHeads?.length, 1)
    assert.equal((await workStatus(a)).otherHeads?.length, 1, 'the side that was asked knows too')
    await merging(b)
    assert.equal((await workStatus(b)).otherHeads, undefined)
    assert.equal(existsSync(join(b, '.weft', 'heads')), false)
    await asking(b, peerOf(a), 'push')
    assert.equal((await workStatus(a)).newerHeads?.length, 1)
    assert.equal((await following(a)).moved, true)
    assert.equal((await workStatus(a)).newerHeads, undefined)
  })
})

describe('a connection that is cut', () => {
  /** Cuts what comes back after so many bytes. */
  const cutting = (after: number) => (call: Call) => ({
    ...call,
    write: call.write,
    end: call.end,
    close: call.close,
    read: (async function* () {
      let left = after
      for await (const piece of call.read) {
        yield piece.subarray(0, left)
        left -= piece.length
        if (left <= 0) {
          call.close()
          throw new Error('cut')
        }
      }
    })(),
  })

  it('loses nothing, wherever that is: the next one goes on', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    for (let i = 0; i < 4; i++) await change(a, `file-${i}`, `${'text '.repeat(i)}\n`)
    await change(b, 'b', 'b\n')
    let failures = 0
    for (let after = 1; ; after += 37) {
      try {
        await asking(b, wrapped(peerOf(a), cutting(after)), 'sync')
        break
      } catch {
        failures++
      }
    }
    assert.ok(failures > 10, `${failures} cuts`)
    assert.deepEqual(await entriesIn(a), await entriesIn(b))
    await verified(a)
    await verified(b)
  })
})
