/**
 * Refs: signed entries that replace each other, read over the whole store.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromLatin1, toHex } from '../src/base/bytes.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { beginRepository } from '../src/history/genesis.js'
import type { Version } from '../src/history/header.js'
import { genesisKey, type RefKind, refKey } from '../src/history/keys.js'
import { type RefChange, refEntries } from '../src/history/ref-log.js'
import { encodeRefValue, isDeletion, type Ref, readRefs } from '../src/history/refs.js'
import { Replica } from '../src/history/replica.js'
import type { Signer } from '../src/history/signer.js'
import { verifyEntries } from '../src/history/verify.js'
import { Versions } from '../src/history/versions.js'
import { EntryStore } from '../src/lseq/entries.js'
import { type Lseq, lseqOfKey } from '../src/lseq/lseq.js'
import { openMemoryStore } from '../src/lseq/memory.js'
import { Streams } from '../src/lseq/vector.js'

const ident = { name: fromLatin1('Ana'), email: fromLatin1('ana@example.org'), time: 1_700_000_000, zone: 60 }

function newSigner(): Signer {
  const seed = crypto.ed25519.generateSeed(crypto.randomBytes)
  return { publicKey: crypto.ed25519.publicKey(seed), sign: (id) => crypto.ed25519.sign(seed, id) }
}

/** An empty repository. */
async function repository(): Promise<EntryStore> {
  const store = new EntryStore(await openMemoryStore())
  await store.put([{ key: genesisKey(0), value: beginRepository(crypto.randomBytes) }])
  return store
}

/** A change that makes a name an empty snapshot, and so needs no version to point at. */
function put(name: string, replaces: readonly Lseq[] = [], kind: RefKind = 's'): RefChange {
  return { kind, name, value: { replaces, vector: [] } }
}

/** Signs changes and writes them; returns the lseqs of the ref entries. */
async function write(store: EntryStore, signer: Signer, ...changes: RefChange[]): Promise<Lseq[]> {
  const replica = await Replica.open(store, signer.publicKey, undefined)
  const entries = await refEntries(store, changes, { signer, replica, ident, message: 'test' })
  await store.put(entries, { operations: replica.operations(entries) })
  return changes.map(({ kind, name }) => {
    const start = refKey(kind, name, 0, 0).subarray(0, -8)
    const own = entries.findLast(({ key }) => Buffer.from(key).subarray(0, start.length).equals(start))
    return lseqOfKey((own as { key: Uint8Array }).key)
  })
}

async function names(store: EntryStore, kind?: RefKind): Promise<string[]> {
  return (await readRefs(store, kind)).filter(({ value }) => !isDeletion(value)).map((ref) => ref.kind + ref.name)
}

async function assertWhole(store: EntryStore): Promise<void> {
  assert.deepEqual((await verifyEntries(store)).damage, [])
}

describe('refs', () => {
  it('are read in order of kind and name', async () => {
    await using store = await repository()
    await write(store, newSigner(), put('b'), put('a/b'), put('a'), put('z', [], 'b'), put('caf\xe9', [], 't'))
    assert.deepEqual(await names(store), ['bz', 'sa', 'sa/b', 'sb', 'tcaf\xe9'])
    assert.deepEqual(await names(store, 's'), ['sa', 'sa/b', 'sb'])
    await assertWhole(store)
  })

  it('are what nobody has replaced', async () => {
    await using store = await repository()
    const signer = newSigner()
    const first = await write(store, signer, put('x'))
    const second = await write(store, signer, put('x', first))
    const [ref, ...others] = await readRefs(store)
    assert.deepEqual(others, [])
    assert.deepEqual({ seq: ref?.seq, stream: ref?.stream }, second[0])
    await assertWhole(store)
  })

  it('that two writers moved at the same time have two heads, until one names both', async () => {
    await using store = await repository()
    const [ana, bruno] = [newSigner(), newSigner()]
    const base = await write(store, ana, put('x'))
    const left = await write(store, ana, put('x', base))
    const right = await write(store, bruno, put('x', base))
    assert.notEqual(left[0]?.stream, right[0]?.stream)
    assert.deepEqual(await names(store), ['sx', 'sx'])
    await write(store, bruno, put('x', [...left, ...right]))
    assert.deepEqual(await names(store), ['sx'])
    await assertWhole(store)
  })

  it('are gone when an entry replaces them with nothing, and may come again', async () => {
    await using store = await repository()
    const signer = newSigner()
    const made = await write(store, signer, put('x'), put('y'))
    const gone = await write(store, signer, { kind: 's', name: 'x', value: { replaces: made.slice(0, 1) } })
    assert.deepEqual(await names(store), ['sy'])
    assert.equal((await readRefs(store)).filter(({ value }: Ref) => isDeletion(value)).length, 1)
    await write(store, signer, put('x', gone))
    assert.deepEqual(await names(store), ['sx', 'sy'])
    await assertWhole(store)
  })

  it('of one writer are one stream, a chain from its genesis on', async () => {
    await using store = await repository()
    const [ana, bruno] = [newSigner(), newSigner()]
    await write(store, ana, put('a'), put('b'))
    await write(store, bruno, put('c'))
    await write(store, ana, put('d'))
    const all: Version[] = []
    for await (const version of new Versions(store, new Streams()).all()) all.push(version)
    const [one, , three] = all
    assert.equal(all.length, 3)
    assert.equal(new Set(all.map(({ stream }) => stream)).size, 2)
    assert.deepEqual(
      all.map(({ first, last }) => [first, last]),
      [
        [1, 3],
        [4, 5],
        [6, 7],
      ],
    )
    assert.equal(one?.prev.seq, 0)
    assert.equal(toHex(three?.prev.id as Uint8Array), toHex(one?.id as Uint8Array))
    assert.ok(all.every(({ parents, tree }) => parents.length === 0 && tree === undefined))
    await assertWhole(store)
  })

  it('of a kind that nobody knows are refused', async () => {
    await using store = await repository()
    const key = Uint8Array.from(refKey('b', 'x', 1, 1))
    key[1] = 'q'.charCodeAt(0)
    await store.put([{ key, value: encodeRefValue({ replaces: [], vector: [] }) }])
    await assert.rejects(readRefs(store), { name: 'CodedError', code: 'BAD_KEY' })
    assert.deepEqual(await readRefs(store, 's'), [])
  })
})
