/**
 * Renumbering: own streams get other ids, and nothing else can be told apart from before.
 * @module
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { concatBytes, encodeUtf8, fromLatin1, toHex } from '../src/base/bytes.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { importGit } from '../src/git/import.js'
import { beginStream, decodeGenesis, readRepositoryId } from '../src/history/genesis.js'
import { genesisKey, kindRange, linesPrefix, tombstoneKey } from '../src/history/keys.js'
import { readRefs } from '../src/history/refs.js'
import { LineRenaming, Renaming } from '../src/history/renaming.js'
import { decodeRenumbered, encodeRenumbered, noteRenumbered, readRenumbered } from '../src/history/renumbered.js'
import { Replica, readReplica, replicaOperation } from '../src/history/replica.js'
import type { Signer } from '../src/history/signer.js'
import { verifyEntries } from '../src/history/verify.js'
import { Versions } from '../src/history/versions.js'
import { CodedError, openIdentity, Repository } from '../src/index.js'
import type { Entry } from '../src/lseq/batch.js'
import { EntryStore } from '../src/lseq/entries.js'
import { encodeLseq, formatStream, type Lseq, lseqOfKey } from '../src/lseq/lseq.js'
import { openMemoryStore } from '../src/lseq/memory.js'
import { Streams } from '../src/lseq/vector.js'
import { authorVersion } from '../src/repo/author.js'
import { renumberStreams, streamsClash } from '../src/repo/renumber.js'
import type { Peer } from '../src/sync/exchange.js'
import { markBisect, startBisect } from '../src/worktree/bisect.js'
import { createTag } from '../src/worktree/branches.js'
import { commit } from '../src/worktree/commit.js'
import { initRepository } from '../src/worktree/init.js'
import { merge } from '../src/worktree/merge.js'
import { perform } from '../src/worktree/operation.js'
import { pick } from '../src/worktree/pick.js'
import { shelve, unshelve } from '../src/worktree/shelve.js'
import { workStatus } from '../src/worktree/status.js'
import { switchTo } from '../src/worktree/switch.js'
import { operations, redo, undo } from '../src/worktree/undo.js'
import { Worktree } from '../src/worktree/worktree.js'
import { holdsCanonical } from './support/canonical.js'
import { fixture } from './support/corpus.js'
import { golden } from './support/golden.js'
import { AUTHOR, Playground } from './support/playground.js'
import { portrait } from './support/portrait.js'
import { type Random, random } from './support/random.js'
import { asking, cloneOf, entriesIn, peerOf, wrapped } from './support/replicas.js'
import { nowhere, quick } from './support/temp.js'
import { HOME } from './support/weft.js'
import { committing, edit } from './support/work-repo.js'

const chance = random('renumber')

/** Opens the work tree anew, does something with it and lets go of it. */
async function withWork<T>(root: string, act: (work: Worktree) => Promise<T>): Promise<T> {
  await using repo = await Repository.open(root, { home: HOME })
  return await act(await Worktree.open(repo))
}

/** Streams that begin here. */
async function streamsOf({ entries }: Repository, kind?: 'content' | 'refs'): Promise<number[]> {
  const streams: number[] = []
  for await (const batch of entries.scan(kindRange('K'))) {
    for (const { key, value } of batch) {
      const { stream } = lseqOfKey(key)
      if (stream !== 0 && (kind === undefined || decodeGenesis(value).kind === kind)) streams.push(stream)
    }
  }
  return streams
}

async function all(entries: EntryStore): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const batch of entries.scan()) for (const { key, value } of batch) found.set(toHex(key), toHex(value))
  return found
}

/** A history in which everything happens that makes one version name another one. */
async function story(dice: Random, steps = 24): Promise<string> {
  await using play = await Playground.begin('renumber')
  const { work, repo } = play
  const paths = ['a', 'b', 'dir/c', 'dir/d', 'e']
  const lines = Array.from({ length: 12 }, (_, i) => `line ${i}\n`)
  play.write({ a: lines.join(''), b: 'b\n', 'dir/c': 'c\n', bin: `\0${'x'.repeat(9000)}` })
  const made = [await play.commit('first')]
  for (const name of ['topic', 'other']) await switchTo(work, { create: name })
  for (let step = 0; step < steps; step++) {
    const settle = async (): Promise<void> => {
      const { conflicts, merge: joining, pick: picking } = work.state
      if (conflicts === undefined && joining === undefined && picking === undefined) return
      made.push((await commit(work, { message: `conflict ${step}`, author: AUTHOR, withConflicts: true })).version)
    }
    const edit = async (): Promise<void> => {
      const at = dice.below(lines.length)
      const old = existsSync(join(play.root, 'a'))
        ? readFileSync(join(play.root, 'a'), 'latin1').split(/(?<=\n)/)
        : lines
      play.write({ a: old.toSpliced(at, dice.below(2), `new ${step}\n`, `more ${step}\n`).join('') })
      play.disturb(dice, paths.slice(1))
      await commit(work, { message: `step ${step}`, author: AUTHOR, withConflicts: true }).then(
        ({ version }) => made.push(version),
        coded,
      )
    }
    const elsewhere = async (): Promise<void> => {
      await switchTo(work, { to: ['main', 'topic', 'other'][dice.below(3)] as string })
      await edit()
    }
    const joinBranches = async (): Promise<void> => {
      const { version, kind } = await merge(work, {
        version: ['main', 'topic', 'other'][dice.below(3)] as string,
        author: AUTHOR,
        noForward: dice.below(2) === 0,
      })
      if (kind === 'merged' && version !== undefined) made.push(version)
    }
    const kinds = [
      edit,
      elsewhere,
      elsewhere,
      elsewhere,
      joinBranches,
      joinBranches,
      joinBranches,
      () => pick(work, { versions: [made[dice.below(made.length)] as string], author: AUTHOR }),
      () => undo(work),
      async () => {
        play.disturb(dice, paths)
        await shelve(work, { author: AUTHOR, message: `shelf ${step}` })
        if (dice.below(2) === 0) await unshelve(work)
      },
      () => createTag(work, `tag-${step}`, { message: 'Here.', author: AUTHOR }),
      () => repo.snapshots.create(`snapshot-${step}`),
    ]
    await (kinds[dice.below(kinds.length)] as () => Promise<unknown>)().catch(coded)
    await settle().catch(coded)
    if (dice.below(12) === 0) await repo.entries.fold()
  }
  return play.root
}

function coded(error: unknown): void {
  if (!(error instanceof CodedError)) throw error
}

async function renumbered(root: string, streams: readonly number[]): Promise<Map<number, number>> {
  await using repo = await Repository.open(root, { home: HOME })
  const report = await renumberStreams(repo.entries, { writer: await repo.writer(), streams, published: [] })
  return new Map(report.streams.map(({ from, to }) => [Number.parseInt(from, 16), Number.parseInt(to, 16)]))
}

describe('renumbering', () => {
  for (let round = 0; round < 4; round++) {
    it(`changes nothing that can be seen: ${round}`, async () => {
      const said = `seed ${chance.seed}, round ${round}`
      const root = await story(chance)
      // That a history as it is made is sound, others test.
      const damage = async (repo: Repository): Promise<string[]> =>
        (await repo.verify()).damage.map(({ kind, path, detail }) => `${kind} ${path} ${detail}`)
      const look = async () => {
        await using repo = await Repository.open(root, { home: HOME })
        const found = { damage: await damage(repo), portrait: await portrait(repo, 3) }
        return { ...found, streams: await streamsOf(repo), all: await all(repo.entries) }
      }
      const seen = async () => {
        await using repo = await Repository.open(root, { home: HOME })
        const { branch } = await repo.head()
        const work = await Worktree.open(repo)
        const report = await workStatus(root)
        return { branch, changes: report.changes, log: [...operations(root)], tracked: work.index.count }
      }
      const before = await look()
      const told = await seen()
      const streams = before.streams.filter(() => chance.below(3) > 0)
      if (streams.length === 0) streams.push(before.streams[0] as number)
      const map = await renumbered(root, streams)
      const after = await look()
      assert.deepEqual([after.damage, after.portrait], [before.damage, before.portrait], said)
      assert.deepEqual(
        after.streams,
        before.streams.map((stream) => map.get(stream) ?? stream),
        'streams have the order they had',
      )
      for (const stream of streams) {
        for (const key of after.all.keys()) assert.ok(!key.endsWith(formatStream(stream)), `${key} is gone`)
      }
      assert.equal(after.all.size, before.all.size, said)
      assert.deepEqual(await seen(), told, said)
      // All of it can still be undone, and done again.
      await withWork(root, async (work) => {
        assert.equal(await readRenumbered(work.repo.entries), undefined)
        const count = told.log.filter(({ undone }) => !undone).length
        await undo(work, Math.min(count, 6), true).catch(coded)
        await redo(work, Math.min(count, 6), true).catch(coded)
        assert.deepEqual(await damage(work.repo), before.damage, said)
      })
      // And gone on with.
      await withWork(root, async (work) => {
        writeFileSync(join(root, 'after'), 'after\n')
        await commit(work, { message: 'after', author: AUTHOR, withConflicts: true })
        assert.deepEqual(await damage(work.repo), before.damage, said)
        const own = [...((await readReplica(work.repo.entries))?.own ?? [])]
        assert.deepEqual(
          own,
          (await streamsOf(work.repo)).sort((a, b) => a - b),
        )
      })
    })
  }

  it('leaves alone what does not stand in or upon the stream', async () => {
    const root = await story(chance)
    await using repo = await Repository.open(root, { home: HOME })
    const before = await all(repo.entries)
    const [refs] = await streamsOf(repo, 'refs')
    const { versions } = await renumberStreams(repo.entries, {
      writer: await repo.writer(),
      streams: [refs as number],
      published: [],
    })
    const after = await all(repo.entries)
    let kept = 0
    for (const [key, value] of before) if (after.get(key) === value) kept++
    const gone = [...before.keys()].filter((key) => key.endsWith(formatStream(refs as number)))
    assert.equal(kept, before.size - gone.length)
    assert.ok(versions > 0)
  })

  it('keeps the commits of an import', async () => {
    const dir = nowhere('import')
    const identity = await openIdentity(HOME)
    await importGit({ source: fixture('oddities'), dir, identity })
    await using repo = await Repository.open(dir, { home: HOME })
    const before = await portrait(repo, 1_000_000)
    const streams = await streamsOf(repo)
    await renumberStreams(repo.entries, { writer: await repo.writer(), streams, published: [] })
    assert.deepEqual(await portrait(repo, 1_000_000), before)
    assert.deepEqual((await repo.verify()).damage, [])
    await repo[Symbol.asyncDispose]()
    const again = await importGit({ source: fixture('oddities'), dir, identity, check: true })
    assert.deepEqual([again.versions, again.refs], [0, 0])
  })

  it('is whole or not at all, wherever it is cut off', async () => {
    const root = await story(chance, 12)
    const given: Entry[] = []
    let record: Awaited<ReturnType<typeof readReplica>>
    {
      await using repo = await Repository.open(root, { home: HOME })
      for await (const batch of repo.entries.scan())
        for (const { key, value } of batch) given.push({ key: Uint8Array.from(key), value: Uint8Array.from(value) })
      record = await readReplica(repo.entries)
    }
    assert.ok(record)
    const { signer } = await openIdentity(HOME)
    const store = await openMemoryStore()
    const entries = new EntryStore(store, { pageBytes: 2000, heldBytes: 1000, quality: 1 })
    await entries.put(given, { operations: [replicaOperation({ ...record, place: undefined })] })
    await entries.fold()
    const before = await all(entries)
    const replica = await Replica.open(entries, signer.publicKey, undefined)
    const batch = store.batch.bind(store)
    let batches = 0
    store.batch = () => {
      batches++
      return Promise.reject(new Error('power cut'))
    }
    const request = { writer: { signer, replica }, streams: record.own, published: [] }
    await assert.rejects(renumberStreams(entries, request), /power cut/)
    assert.equal(batches, 1)
    assert.deepEqual(await all(entries), before)
    assert.equal(await readRenumbered(entries), undefined)
    store.batch = (operations, options) => {
      batches++
      return batch(operations, options)
    }
    await renumberStreams(entries, request)
    assert.equal(batches, 2)
    assert.deepEqual((await verifyEntries(entries)).damage, [])
    assert.ok((await readRenumbered(entries)) !== undefined)
    for await (const pages of store.keys({ gte: fromLatin1('e'), lt: fromLatin1('f') }))
      assert.fail(`${pages.length} loose`)
  })
})

describe('files beside a store that was renumbered', () => {
  /** A work tree in the middle of everything, with the record of a copy taken for its own. */
  async function busy(): Promise<string> {
    await using play = await Playground.begin('busy')
    const { work } = play
    const ids: string[] = []
    for (let i = 0; i < 6; i++) {
      play.write({ a: `one\n${'x\n'.repeat(i)}`, [`f${i}`]: 'f\n' })
      ids.push(await play.commit(`v${i}`))
    }
    play.write({ a: 'aside\n' })
    await shelve(work, { author: AUTHOR })
    await startBisect(work, ids[5], [ids[0] as string])
    await markBisect(work, 'good', [])
    return play.root
  }

  const FILES = ['head', 'index', 'state.json', 'operations'] as const

  it('are put right by whoever opens the work tree next, and again if that is cut off', async () => {
    const root = await busy()
    const kept = nowhere('kept')
    cpSync(join(root, '.weft'), kept, { recursive: true, preserveTimestamps: true })
    const stats = ({ index }: Worktree): number => [...index.all()].filter(({ stat }) => stat !== undefined).length
    const counted = await withWork(root, async (work) => stats(work))
    const all = await withWork(root, async ({ repo }) => streamsOf(repo))
    await renumbered(root, all)
    let note: Renaming | undefined
    {
      await using repo = await Repository.open(root, { home: HOME })
      note = await readRenumbered(repo.entries)
    }
    assert.ok(note)
    const look = async () =>
      withWork(root, async (work) => {
        const { bad, good } = work.state.bisect ?? {}
        for (const id of [
          work.head.version,
          bad,
          ...(good ?? []),
          ...(work.state.shelves ?? []).map((s) => s.version),
        ]) {
          assert.ok(id !== undefined && (await work.repo.resolve(id)).version !== undefined)
        }
        assert.equal(stats(work), counted, 'stats go on to count')
        return Object.fromEntries(
          FILES.map((name) => [name, name === 'index' ? '' : textOf(join(root, '.weft', name))]),
        )
      })
    const right = await look()
    for (let subset = 0; subset < 1 << FILES.length; subset++) {
      FILES.forEach((name, i) => {
        if ((subset >> i) % 2 === 0) return
        rmSync(join(root, '.weft', name), { recursive: true })
        cpSync(join(kept, name), join(root, '.weft', name), { recursive: true, preserveTimestamps: true })
      })
      {
        await using repo = await Repository.open(root, { home: HOME })
        await repo.entries.store.batch([noteRenumbered(undefined, note)])
      }
      assert.deepEqual(await look(), right, `subset ${subset}`)
    }
  })

  it('know of a renumbering behind another', async () => {
    const root = await busy()
    const all = await withWork(root, async ({ repo }) => streamsOf(repo))
    const map = await renumbered(root, all)
    const second = await renumbered(root, [...map.values()])
    await withWork(root, async (work) => {
      assert.ok((await work.repo.resolve(work.head.version)).version)
      assert.deepEqual([...second.values()].sort(), (await streamsOf(work.repo)).sort())
      await undo(work, 3, true)
    })
  })

  it('are put right before an interrupted operation is finished', async () => {
    await using play = await Playground.begin('interrupted')
    play.write({ a: 'one\n' })
    await play.commit('one')
    // The entries are there, the files are not.
    const broken = new Error('killed')
    const { repo, index } = play.work
    const entries = repo.entries
    const put = entries.put.bind(entries)
    entries.put = async (...given) => {
      await put(...given)
      throw broken
    }
    const { version } = await repo.resolve('main')
    assert.ok(version)
    const operation = {
      command: 'test',
      summary: 'a branch and a file',
      refs: [
        {
          kind: 'b' as const,
          name: 'later',
          to: [{ version: { seq: version.last, stream: version.stream, id: version.id } }],
        },
      ],
      files: [
        { path: 'b', to: { mode: 0o100644, sha256: crypto.sha256Hex(fromLatin1('b\n')), bytes: fromLatin1('b\n') } },
      ],
    }
    const dropped = join(play.root, '.weft', 'operations', 'pending')
    const journal = nowhere('journal')
    entries.put = async (...given) => {
      cpSync(dropped, journal)
      await put(...given)
      throw broken
    }
    await assert.rejects(perform({ repo, index }, operation), broken)
    cpSync(journal, dropped)
    await play[Symbol.asyncDispose]()
    const { root } = play
    const streams = await (async () => {
      await using again = await Repository.open(root)
      return await streamsOf(again)
    })()
    await renumbered(root, streams)
    await withWork(root, async (work) => {
      assert.equal(work.finished?.record.command, 'test')
      assert.equal(readFileSync(join(root, 'b'), 'utf8'), 'b\n')
    })
  })

  it('are noted in one form', () => {
    const ids = new Map([['01'.repeat(32), '02'.repeat(32)]])
    const example = { streams: new Map([[0x5e95ba, 0x5e95c0]]), ids }
    const { streams, ids: read } = decodeRenumbered(golden('renumbered', encodeRenumbered(example)))
    assert.deepEqual([...streams, ...read], [...example.streams, ...ids])
    const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)
    const id = fc.integer({ min: 1, max: 0xffffff })
    const valid = fc
      .tuple(fc.array(fc.tuple(id, id), { maxLength: 3 }), fc.array(fc.tuple(hex, hex), { maxLength: 3 }))
      .map(([pairs, names]) => encodeRenumbered({ streams: new Map(pairs), ids: new Map(names) }))
    holdsCanonical(decodeRenumbered, encodeRenumbered, valid, { codes: ['BAD_RECORD', 'FORMAT_NEWER'] })
  })
})

function textOf(path: string): unknown {
  return path.endsWith('operations')
    ? readdirSync(path).map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')))
    : readFileSync(path, 'utf8')
}

describe('what cannot be renumbered', () => {
  it('is what others have', async () => {
    const root = await story(chance, 12)
    await using repo = await Repository.open(root, { home: HOME })
    const before = await all(repo.entries)
    const writer = await repo.writer()
    const [content] = await streamsOf(repo, 'content')
    const first: Lseq[] = []
    for await (const { last, stream } of repo.versions.all())
      if (stream === content && first.length === 0) first.push({ seq: last, stream })
    const request = { writer, streams: [content as number], published: first }
    await assert.rejects(renumberStreams(repo.entries, request), {
      code: 'STREAM_CLASH',
      message: /others have it already/,
    })
    assert.deepEqual(await all(repo.entries), before)
  })

  it('is a stream that was begun elsewhere, or by another key', async () => {
    const root = await story(chance, 12)
    await using repo = await Repository.open(root, { home: HOME })
    const { signer, replica } = await repo.writer()
    const [stream = 0] = await streamsOf(repo, 'content')
    const other: Signer = { ...signer, publicKey: new Uint8Array(32).fill(1) }
    const elsewhere = await Replica.open(repo.entries, signer.publicKey, {
      path: encodeUtf8('/x'),
      inode: 1n,
      born: 0n,
    })
    for (const writer of [
      { signer: other, replica },
      { signer, replica: elsewhere },
    ]) {
      await assert.rejects(renumberStreams(repo.entries, { writer, streams: [stream], published: [] }), {
        code: 'STREAM_CLASH',
      })
    }
  })

  it('is what somebody else stands upon', async () => {
    await using play = await Playground.begin('upon')
    play.write({ a: 'one\n' })
    await play.commit('one')
    const { entries, versions } = play.repo
    const [stream = 0] = await streamsOf(play.repo, 'content')
    const { version } = await play.repo.resolve('main')
    assert.ok(version)
    const signer = newSigner()
    const ident = { name: fromLatin1('Bob'), email: fromLatin1('bob@example.org'), time: 1_700_000_000, zone: 0 }
    const { entries: added } = await authorVersion(
      { entries, versions, signer, replica: await Replica.open(entries, signer.publicKey, undefined) },
      {
        parents: [{ seq: version.last, stream: version.stream, id: version.id }],
        writes: [{ path: 'b', put: { mode: 0o100644, file: undefined, content: async () => fromLatin1('b\n') } }],
        author: ident,
        committer: ident,
        message: fromLatin1('upon'),
      },
    )
    await entries.put(added)
    const writer = await play.repo.writer()
    await assert.rejects(renumberStreams(entries, { writer, streams: [stream], published: [] }), {
      code: 'STREAM_CLASH',
      message: /not made by you, here/,
    })
  })

  it('is what is damaged', async () => {
    await using play = await Playground.begin('damaged')
    play.write({ a: 'one\n' })
    await play.commit('one')
    const { entries } = play.repo
    const [stream = 0] = await streamsOf(play.repo, 'content')
    for await (const batch of entries.scan(kindRange('L'))) {
      const key = Buffer.concat([Buffer.from('e'), batch.key(0)])
      await entries.store.batch([{ type: 'put', key, value: Buffer.from('two\n') }])
    }
    const writer = await play.repo.writer()
    await assert.rejects(renumberStreams(entries, { writer, streams: [stream], published: [] }), {
      code: 'CONTENT_DAMAGED',
    })
  })
})

function newSigner(): Signer {
  const seed = crypto.ed25519.generateSeed(crypto.randomBytes)
  return { publicKey: crypto.ed25519.publicKey(seed), sign: (id) => crypto.ed25519.sign(seed, id) }
}

/** Nonces with which two keys begin streams of one id: two sets of some thousand geneses have such a pair. */
function clashing(
  repository: Uint8Array,
  ourKey: Uint8Array,
  theirKey: Uint8Array,
  kind: 'content' | 'refs' = 'content',
): { ours: Uint8Array; theirs: Uint8Array; stream: number } {
  const begin = (key: Uint8Array, nonce: Uint8Array): number =>
    beginStream(
      repository,
      key,
      kind,
      () => nonce,
      () => false,
    ).stream
  const nonces = new Map<number, Uint8Array>()
  for (;;) {
    const mine = crypto.randomBytes(16)
    nonces.set(begin(ourKey, mine), mine)
    const theirs = crypto.randomBytes(16)
    const stream = begin(theirKey, theirs)
    const ours = nonces.get(stream)
    if (ours !== undefined) return { ours, theirs, stream }
  }
}

/** Does something for which the next nonces are chosen. */
async function drawing<T>(nonces: Uint8Array[], act: () => Promise<T>): Promise<T> {
  const real = crypto.randomBytes
  const source = crypto as { randomBytes: typeof real }
  source.randomBytes = (bytes) => (bytes === 16 ? nonces.shift() : undefined) ?? real(bytes)
  try {
    return await act()
  } finally {
    source.randomBytes = real
  }
}

describe('two streams with one id', () => {
  /** An original and two clones of it that began streams of the same ids. */
  async function clones(): Promise<{ root: string; b: string; c: string; streams: readonly number[] }> {
    const root = quick('origin')
    await initRepository(root, 'main', { home: HOME })
    edit(root, { 'a.txt': 'one\n' })
    await withWork(root, committing('first'))
    const [b, c] = [await cloneOf(root), await cloneOf(root)]
    const { publicKey } = (await openIdentity(HOME)).signer
    const repository = await withWork(root, ({ repo }) => readRepositoryId(repo.entries))
    const content = clashing(repository, publicKey, publicKey)
    const refs = clashing(repository, publicKey, publicKey, 'refs')
    edit(b, { 'b.txt': 'b\n' })
    await drawing([content.ours, refs.ours], () => withWork(b, committing('of b')))
    edit(c, { 'c.txt': 'c\n' })
    await drawing([content.theirs, refs.theirs], () => withWork(c, committing('of c')))
    edit(c, { 'c.txt': 'c\nmore\n' })
    await withWork(c, committing('more of c'))
    const streams = [content.stream, refs.stream]
    for (const at of [b, c]) {
      const there = await withWork(at, ({ repo }) => streamsOf(repo))
      assert.ok(streams.every((stream) => there.includes(stream)))
    }
    return { root, b, c, streams }
  }

  for (const isInteractive of [true, false]) {
    const how = isInteractive ? 'where both sides talk' : 'where one side has to begin'
    it(`meet in a sync, and what nobody has seen makes way: ${how}`, async () => {
      const { root, b, c } = await clones()
      const peer = (): Peer => wrapped(peerOf(root), (call) => call, isInteractive)
      assert.deepEqual((await asking(b, peer(), 'sync')).refusedThere, [])
      const asked = await asking(c, peer(), 'sync')
      assert.deepEqual([asked.refused, asked.refusedThere, asked.waitingThere], [[], [], 0])
      await asking(b, peer(), 'sync')
      const everything = await entriesIn(root)
      for (const at of [b, c]) {
        assert.deepEqual(await entriesIn(at), everything)
        await withWork(at, async (work) => {
          assert.deepEqual((await work.repo.verify()).damage, [])
          assert.ok((await work.repo.resolve(work.head.version)).version)
          assert.equal((await workStatus(at)).clean, true)
        })
      }
      await withWork(c, async (work) => {
        assert.equal(Buffer.from(await work.repo.read('c.txt')).toString(), 'c\nmore\n')
        await merge(work, { author: AUTHOR })
        assert.equal(existsSync(join(c, 'b.txt')), true)
        assert.deepEqual((await work.repo.verify()).damage, [])
        await undo(work, 3, true)
      })
    })
  }

  it('are told apart, and the other one comes in', async () => {
    await using play = await Playground.begin('clash')
    const { entries } = play.repo
    const repository = await readRepositoryId(entries)
    const ours = await play.repo.signer()
    const theirs = newSigner()
    const found = clashing(repository, ours.publicKey, theirs.publicKey)
    play.write({ a: 'ours\n' })
    await drawing([found.ours], () => play.commit('ours'))
    play.write({ a: 'ours\nmore\n' })
    await play.commit('more')
    assert.ok((await streamsOf(play.repo)).includes(found.stream))

    // Somebody else's store of the same repository.
    const there = new EntryStore(await openMemoryStore())
    await there.put([{ key: genesisKey(0), value: (await entries.get(genesisKey(0))) as Uint8Array }])
    const ident = { name: fromLatin1('Bob'), email: fromLatin1('bob@example.org'), time: 1_700_000_000, zone: 0 }
    const nonce = found.theirs
    const made = await authorVersion(
      {
        entries: there,
        versions: new Versions(there, new Streams()),
        signer: theirs,
        replica: await Replica.open(there, theirs.publicKey, undefined),
        random: () => nonce,
      },
      {
        parents: [],
        writes: [{ path: 'b', put: { mode: 0o100644, file: undefined, content: async () => fromLatin1('theirs\n') } }],
        author: ident,
        committer: ident,
        message: fromLatin1('theirs'),
      },
    )
    assert.equal(made.ref.stream, found.stream)
    await assert.rejects(entries.put(made.entries), { code: 'ENTRY_CONFLICT' })

    const before = await portrait(play.repo)
    const clash = [entries.get(genesisKey(found.stream)), made.entries.find(({ key }) => key[0] === 0x4b)?.value]
    const [mine, other] = (await Promise.all(clash)).map((value) => decodeGenesis(value as Uint8Array))
    assert.match(
      streamsClash(mine as never, other as never).message,
      new RegExp(`${formatStream(found.stream)}, one by the key`),
    )
    await renumberStreams(entries, { writer: await play.repo.writer(), streams: [found.stream], published: [] })
    assert.deepEqual(await portrait(play.repo), before)
    await entries.put(made.entries)
    assert.deepEqual((await play.repo.verify()).damage, [])
    assert.equal(Buffer.from(await play.repo.read('b', { at: toHex(made.ref.id) })).toString(), 'theirs\n')
    assert.equal(Buffer.from(await play.repo.read('a')).toString(), 'ours\nmore\n')
    assert.equal((await readRefs(entries, 'b')).length, 1)
  })
})

describe('lines under another stream', () => {
  const file: Lseq = { seq: 1, stream: 0x5e95ba }
  const run = (around: Uint8Array | undefined, digits: string, seq: number, stream: number): Uint8Array =>
    concatBytes(around ?? new Uint8Array(0), fromLatin1(digits), encodeLseq(seq, stream))
  const keysOf = (stream: number): Uint8Array[] => {
    const prefix = linesPrefix({ ...file, stream })
    const first = run(undefined, '\x80', 2, stream)
    const inside = run(first, '\x03\x80', 9, 0x111111)
    const deep = run(inside, '\x01\x7f', 12, stream)
    const last = run(undefined, '\x90', 20, 0x111111)
    return [
      concatBytes(prefix, first),
      tombstoneKey(prefix, first, 7, stream),
      tombstoneKey(prefix, first, 8, 0x111111),
      concatBytes(prefix, inside),
      concatBytes(prefix, deep),
      tombstoneKey(prefix, deep, 30, 0x111111),
      concatBytes(prefix, last),
    ]
  }

  it('have new lseqs in their positions, at any depth', () => {
    const lines = new LineRenaming(new Renaming(new Map([[0x5e95ba, 0x5e95c1]])))
    assert.deepEqual(
      keysOf(0x5e95ba).map((key) => toHex(lines.next(key) as Uint8Array)),
      keysOf(0x5e95c1).map(toHex),
    )
  })

  it('must stand as they stood beside digits that were chosen beside the old id', () => {
    const prefix = linesPrefix({ seq: 1, stream: 0x111111 })
    const left = run(undefined, '\x81', 0x1ff, 0x5e95ba)
    // Behind that run, before another one with the same digits and a seq in the next 256.
    const between = run(undefined, '\x81\0\0\0\x01\xff\x5e\x95\xbb', 0x300, 0x111111)
    for (const [to, stands] of [
      [0x5e95b0, true],
      [0x5e95bb, false],
      [0x5e95c0, false],
    ] as const) {
      const lines = new LineRenaming(new Renaming(new Map([[0x5e95ba, to]])))
      assert.ok(lines.next(concatBytes(prefix, left)))
      assert.equal(lines.next(concatBytes(prefix, between)) !== undefined, stands, to.toString(16))
    }
  })
})
