/**
 * Which streams a store goes on with: those that were begun in it, at the place where it is.
 * @module
 */
import assert from 'node:assert/strict'
import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8, fromLatin1, toHex } from '../src/base/bytes.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { importGit } from '../src/git/import.js'
import { beginRepository, decodeGenesis } from '../src/history/genesis.js'
import { genesisKey, kindRange } from '../src/history/keys.js'
import { refEntries } from '../src/history/ref-log.js'
import {
  beginReplica,
  decodeReplica,
  encodeReplica,
  REPLICA_ID_BYTES,
  REPLICA_KEY,
  Replica,
  type ReplicaRecord,
  readReplica,
  replicaOperation,
} from '../src/history/replica.js'
import type { Signer } from '../src/history/signer.js'
import { commit, initRepository, openIdentity, Repository, shelve, Worktree } from '../src/index.js'
import { EntryStore } from '../src/lseq/entries.js'
import { formatStream, lseqOfKey } from '../src/lseq/lseq.js'
import { openMemoryStore } from '../src/lseq/memory.js'
import type { Operation, Store } from '../src/lseq/store.js'
import { placeOf } from '../src/repo/replica.js'
import { holdsCanonical } from './support/canonical.js'
import { git } from './support/git.js'
import { golden } from './support/golden.js'
import { plain } from './support/plain.js'
import { AUTHOR } from './support/playground.js'
import { nowhere, temporary } from './support/temp.js'
import { HOME } from './support/weft.js'

const ID = new Uint8Array(REPLICA_ID_BYTES).fill(5)
const EXAMPLE: ReplicaRecord = {
  id: ID,
  place: { path: encodeUtf8('/home/ana/prices/.weft/store'), inode: 0x12_3456n, born: 1_700_000_000_123_456_789n },
  own: [1, 0xabcdef],
}

describe('the record of a replica', () => {
  it('is written as it always was', () => {
    assert.deepEqual(plain(decodeReplica(golden('replica', encodeReplica(EXAMPLE)))), plain(EXAMPLE))
    const begun = beginReplica(undefined, () => ID)
    assert.deepEqual(plain(decodeReplica(golden('replica without a place', encodeReplica(begun)))), plain(begun))
  })

  it('has one form', () => {
    const place = fc.record(
      { path: fc.uint8Array({ maxLength: 300 }), inode: fc.bigInt(0n, 2n ** 64n - 1n), born: fc.bigInt(0n, 2n ** 63n) },
      { noNullPrototype: true },
    )
    const own = fc
      .uniqueArray(fc.integer({ min: 1, max: 0xffffff }), { maxLength: 5 })
      .map((streams) => streams.sort((a, b) => a - b))
    const valid = fc
      .tuple(fc.option(place, { nil: undefined }), own)
      .map(([at, streams]) => encodeReplica({ id: ID, place: at, own: streams }))
    holdsCanonical(decodeReplica, encodeReplica, valid, { codes: ['BAD_RECORD', 'FORMAT_NEWER'] })
  })

  const cases: [name: string, value: Uint8Array, code: string][] = [
    ['a newer format', fromLatin1('v\x01\x02'), 'FORMAT_NEWER'],
    ['streams out of order', encodeReplica({ ...EXAMPLE, own: [7, 7] }), 'BAD_RECORD'],
    ['stream 0', encodeReplica({ ...EXAMPLE, own: [0] }), 'BAD_RECORD'],
    ['a short id', encodeReplica({ ...EXAMPLE, id: new Uint8Array(15) }), 'BAD_RECORD'],
  ]
  for (const [name, value, code] of cases) {
    it(`refuses ${name}`, () => assert.throws(() => decodeReplica(value), { code }))
  }
})

/** A repository with one version. */
async function begun(name = 'replica'): Promise<string> {
  const root = temporary(name)
  await initRepository(root, 'main', { home: HOME })
  await change(root, 'one')
  return root
}

/** Commits a change. @returns Stream of the version, and of the branch's move. */
async function change(root: string, text: string): Promise<{ content: string; refs: string }> {
  writeFileSync(join(root, 'file'), `${text}\n`)
  await using repo = await Repository.open(root, { home: HOME })
  const work = await Worktree.open(repo)
  const { version } = await commit(work, { message: text, author: AUTHOR })
  const { version: made } = await repo.resolve(version)
  assert.ok(made)
  let move = { seq: 0, stream: 0 }
  for await (const batch of repo.entries.scan(kindRange('R'))) {
    for (let i = 0; i < batch.count; i++) {
      const lseq = lseqOfKey(batch.key(i))
      if (lseq.seq > move.seq) move = lseq
    }
  }
  return { content: formatStream(made.stream), refs: formatStream(move.stream) }
}

async function recordOf(root: string): Promise<ReplicaRecord | undefined> {
  await using repo = await Repository.open(root)
  return readReplica(repo.entries)
}

async function expectWhole(root: string): Promise<void> {
  await using repo = await Repository.open(root)
  assert.deepEqual((await repo.verify()).damage, [])
}

/** Puts a record into a repository, or takes it out. */
async function setRecord(root: string, record: ReplicaRecord | undefined): Promise<void> {
  await using repo = await Repository.open(root)
  await repo.entries.store.batch([record === undefined ? { type: 'del', key: REPLICA_KEY } : replicaOperation(record)])
}

describe('a repository at its place', () => {
  it('goes on with its streams, and notes those that it begins', async () => {
    const root = await begun()
    const first = await change(root, 'two')
    assert.deepEqual(await change(root, 'three'), first)
    const record = await recordOf(root)
    assert.deepEqual(record?.own.map(formatStream), [first.content, first.refs].sort())
    assert.deepEqual(plain(record?.place), plain(await placeOf(root)))
  })

  it('is known before anything is written into it', async () => {
    const root = temporary('fresh')
    await initRepository(root, 'main', { home: HOME })
    assert.deepEqual((await recordOf(root))?.own, [])
  })

  it('notes the streams of what is shelved, and of snapshots', async () => {
    const root = await begun()
    writeFileSync(join(root, 'file'), 'aside\n')
    {
      await using repo = await Repository.open(root, { home: HOME })
      await shelve(await Worktree.open(repo), { author: AUTHOR })
      await repo.snapshots.create('then')
    }
    assert.equal((await recordOf(root))?.own.length, 3)
    await expectWhole(root)
  })

  it('that was written by an older weft takes the streams of the key for its own, once', async () => {
    const root = await begun()
    const before = await change(root, 'two')
    await setRecord(root, undefined)
    assert.deepEqual(await change(root, 'three'), before)
    const record = await recordOf(root)
    assert.deepEqual(record?.own.map(formatStream), [before.content, before.refs].sort())
    // From then on the record counts.
    await setRecord(root, { ...(record as ReplicaRecord), own: [] })
    const after = await change(root, 'four')
    assert.notEqual(after.content, before.content)
    assert.notEqual(after.refs, before.refs)
  })

  it('has no streams of its own when it was begun as a clone', async () => {
    const root = await begun()
    const before = await change(root, 'two')
    await setRecord(root, beginReplica(await placeOf(root)))
    const after = await change(root, 'three')
    assert.notEqual(after.content, before.content)
    assert.notEqual(after.refs, before.refs)
    await expectWhole(root)
  })

  it('can be known before it is where it goes', async () => {
    const parent = temporary('staged')
    const root = await begun()
    const place = await placeOf(root, join(parent, 'here'))
    await setRecord(root, { ...beginReplica(place), own: (await recordOf(root))?.own ?? [] })
    renameSync(root, join(parent, 'here'))
    const { id } = (await recordOf(join(parent, 'here'))) as ReplicaRecord
    await change(join(parent, 'here'), 'two')
    assert.equal(toHex(((await recordOf(join(parent, 'here'))) as ReplicaRecord).id), toHex(id))
  })
})

describe('a repository at another place', () => {
  it('that is a copy begins streams of its own, and the original goes on', async () => {
    const root = await begun()
    const before = await change(root, 'two')
    const copy = nowhere('copy')
    cpSync(root, copy, { recursive: true })
    const there = await change(copy, 'there')
    assert.notEqual(there.content, before.content)
    assert.notEqual(there.refs, before.refs)
    assert.deepEqual(await change(root, 'here'), before)
    assert.deepEqual(await change(copy, 'there again'), there)
    assert.notEqual(toHex((await recordOf(copy))?.id as Uint8Array), toHex((await recordOf(root))?.id as Uint8Array))
    await expectWhole(root)
    await expectWhole(copy)
  })

  it('and back is where it was, if nothing was written meanwhile', async () => {
    const root = await begun()
    const before = await change(root, 'two')
    const away = nowhere('away')
    renameSync(root, away)
    {
      await using repo = await Repository.open(away, { home: HOME })
      await repo.list()
    }
    renameSync(away, root)
    assert.deepEqual(await change(root, 'three'), before)
    renameSync(root, away)
    const moved = await change(away, 'four')
    assert.notEqual(moved.content, before.content)
    renameSync(away, root)
    const back = await change(root, 'five')
    assert.ok(![before.content, moved.content].includes(back.content))
    await expectWhole(root)
  })

  it('is also a backup that was put back', async (t) => {
    const root = await begun()
    const place = await placeOf(root)
    const backup = nowhere('backup')
    cpSync(root, backup, { recursive: true })
    const lost = await change(root, 'two')
    rmSync(root, { recursive: true })
    cpSync(backup, root, { recursive: true })
    const { inode, born } = await placeOf(root)
    if (inode === place.inode && born === place.born) return t.skip('this file system tells no directory from the next')
    const after = await change(root, 'three')
    assert.notEqual(after.content, lost.content)
    assert.notEqual(after.refs, lost.refs)
    await expectWhole(root)
  })

  it('is told by path, by inode and by time, where the time is known', async () => {
    const root = await begun()
    const { place, ...rest } = (await recordOf(root)) as ReplicaRecord
    assert.ok(place)
    const known = place.born !== 0n
    const cases: [name: string, at: typeof place, isHere: boolean][] = [
      ['all', place, true],
      ['path', { ...place, path: encodeUtf8('/elsewhere') }, false],
      ['inode', { ...place, inode: place.inode + 1n }, false],
      ['time', { ...place, born: place.born + 1n }, !known],
      ['no time', { ...place, born: 0n }, true],
    ]
    const { signer } = await openIdentity(HOME)
    for (const [name, at, isHere] of cases) {
      await setRecord(root, { ...rest, place: at })
      await using repo = await Repository.open(root)
      const replica = await Replica.open(repo.entries, signer.publicKey, place)
      assert.equal(replica.own.size > 0, isHere, name)
      assert.equal(replica.operations([]).length > 0, !isHere, name)
    }
  })

  it('imports into streams of its own', async () => {
    const source = nowhere('source')
    git('.', ['init', '-q', '-b', 'main', source])
    git(source, ['config', 'user.name', 'Grace'])
    git(source, ['config', 'user.email', 'grace@example.com'])
    const commitIn = (text: string): void => {
      writeFileSync(join(source, 'file'), `${text}\n`)
      git(source, ['add', '-A'])
      git(source, ['commit', '-q', '-m', text])
    }
    commitIn('one')
    const root = nowhere('imported')
    const identity = await openIdentity(HOME)
    const imported = async (dir: string): Promise<string[]> => {
      await importGit({ source, dir, identity, check: true })
      return ((await recordOf(dir)) as ReplicaRecord).own.map(formatStream)
    }
    const before = await imported(root)
    assert.equal(before.length, 2)
    const copy = nowhere('copy')
    cpSync(root, copy, { recursive: true })
    commitIn('two')
    const there = await imported(copy)
    assert.equal(there.length, 2)
    assert.ok(there.every((stream) => !before.includes(stream)))
    assert.deepEqual(await imported(root), before)
    await expectWhole(copy)
  })
})

/** A store that tells of its batches, and fails at one of them. */
async function watched(failAt = Number.POSITIVE_INFINITY): Promise<{ store: Store; batches: Operation[][] }> {
  const store = await openMemoryStore()
  const batches: Operation[][] = []
  const batch = store.batch.bind(store)
  store.batch = async (operations, options) => {
    if (batches.length >= failAt) throw new Error('power cut')
    batches.push([...operations])
    await batch(operations, options)
  }
  return { store, batches }
}

describe('a stream and the note of it', () => {
  const seed = crypto.ed25519.generateSeed(crypto.randomBytes)
  const signer: Signer = { publicKey: crypto.ed25519.publicKey(seed), sign: (id) => crypto.ed25519.sign(seed, id) }
  const ident = { name: fromLatin1('Ana'), email: fromLatin1('ana@example.org'), time: 1_700_000_000, zone: 60 }
  const place = { path: encodeUtf8('/here'), inode: 1n, born: 0n }

  async function move(entries: EntryStore, at = place): Promise<void> {
    const replica = await Replica.open(entries, signer.publicKey, at)
    const change = { kind: 's', name: 'x', value: { replaces: [], vector: [] } } as const
    const added = await refEntries(entries, [change], { signer, replica, ident, message: '' })
    await entries.put(added, { operations: replica.operations(added) })
  }

  async function own(entries: EntryStore): Promise<{ noted: number[]; there: number[] }> {
    const there: number[] = []
    for await (const batch of entries.scan(kindRange('K'))) {
      for (let i = 0; i < batch.count; i++) {
        const { stream } = lseqOfKey(batch.key(i))
        if (stream !== 0) there.push(decodeGenesis(batch.value(i)).stream)
      }
    }
    return { noted: [...((await readReplica(entries))?.own ?? [])], there }
  }

  it('come in one batch, so that a cut leaves both or neither', async () => {
    for (const failAt of [1, 2, 3]) {
      const { store, batches } = await watched(failAt)
      const entries = new EntryStore(store)
      await entries.put([{ key: genesisKey(0), value: beginRepository(crypto.randomBytes) }])
      for (let i = 0; i < 3 && batches.length < failAt; i++) await move(entries).catch(() => undefined)
      await assert.rejects(move(entries, { ...place, inode: 2n }), /power cut/)
      const { noted, there } = await own(entries)
      assert.deepEqual(noted, there)
      assert.equal(there.length, failAt > 1 ? 1 : 0)
    }
  })

  it('are written once, and not again for what goes on with it', async () => {
    const { store, batches } = await watched()
    const entries = new EntryStore(store)
    await entries.put([{ key: genesisKey(0), value: beginRepository(crypto.randomBytes) }])
    await move(entries)
    await move(entries)
    const notes = batches.map((operations) => operations.filter(({ key }) => toHex(key) === toHex(REPLICA_KEY)).length)
    assert.deepEqual(notes, [0, 1, 0])
  })
})
