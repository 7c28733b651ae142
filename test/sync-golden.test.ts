/**
 * The protocol as it was: conversations of two replicas in `fixtures/sync-v1.json`, in hex, with what both stores held. What
 * is said today must be the same bytes, and what was said then must be understood.
 *
 * `WEFT_GOLDEN=write node --import tsx --test test/sync-golden.test.ts` makes the file anew: a change of the protocol.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fromHex, toHex } from '../src/base/bytes.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { isDerived } from '../src/history/derived.js'
import { Replica } from '../src/history/replica.js'
import { verifyEntries } from '../src/history/verify.js'
import { Versions } from '../src/history/versions.js'
import { EntryStore } from '../src/lseq/entries.js'
import { openMemoryStore } from '../src/lseq/memory.js'
import { decodePage } from '../src/lseq/page.js'
import type { Operation } from '../src/lseq/store.js'
import { Streams } from '../src/lseq/vector.js'
import { Repository } from '../src/repo/repository.js'
import { ask, type Direction } from '../src/sync/ask.js'
import { clone } from '../src/sync/clone.js'
import type { SyncContext } from '../src/sync/context.js'
import { decodeStored } from '../src/sync/messages.js'
import { Chance } from './simulation/chance.js'
import { deliver, WirePeer } from './simulation/wire.js'
import { framesOf, Simulation } from './simulation/world.js'
import { parrot } from './support/speech.js'
import { quick } from './support/temp.js'
import { ROOT } from './support/weft.js'

const PATH = join(ROOT, 'fixtures', 'sync-v1.json')

/** A conversation, frame by frame. */
interface Conversation {
  readonly there: readonly string[]
  readonly back: readonly string[]
}

interface Fixture {
  /** By which pages were packed: another one may pack the same differently. */
  readonly brotli: string
  /** Keys and values of both stores. */
  readonly asking: Readonly<Record<string, string>>
  readonly answering: Readonly<Record<string, string>>
  readonly conversations: Readonly<Record<string, Conversation>>
}

const DIRECTIONS: readonly Direction[] = ['pull', 'push', 'sync']
const { randomBytes } = crypto
let fixture: Fixture

after(() => void Object.assign(crypto, { randomBytes }))

before(async () => {
  if (process.env['WEFT_GOLDEN'] === 'write' || !existsSync(PATH)) await write()
  fixture = JSON.parse(readFileSync(PATH, 'utf8')) as Fixture
})

/** Makes the file. */
async function write(): Promise<void> {
  Object.assign(crypto, { randomBytes: new Chance(22).bytes })
  const simulation = await Simulation.begin({ seed: 22, replicas: 2, steps: 0 })
  const [asking, answering] = await simulation.pair()
  await answering.alone(() => answering.entries.fold())
  await answering.commit()
  const stores = { asking: await contents(asking.entries), answering: await contents(answering.entries) }
  fixture = { brotli: process.versions['brotli'] ?? '', ...stores, conversations: {} }
  const conversations: Record<string, Conversation> = {}
  for (const direction of DIRECTIONS) conversations[direction] = await converse(direction)
  conversations['clone'] = await converse('clone')
  writeFileSync(PATH, `${JSON.stringify({ ...fixture, conversations }, undefined, 1)}\n`)
}

async function contents({ store }: EntryStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const pairs of store.scan()) for (const [key, value] of pairs) found[toHex(key)] = toHex(value)
  return found
}

/** A replica as the file has it. */
async function open(side: 'asking' | 'answering'): Promise<SyncContext> {
  const store = await openMemoryStore()
  const bytes = (hex: string) => fromHex(hex) as Uint8Array
  const operations = Object.entries(fixture[side]).map(
    ([key, value]): Operation => ({ type: 'put', key: bytes(key), value: bytes(value) }),
  )
  await store.batch(operations)
  const entries = new EntryStore(store)
  const replica = await Replica.open(entries, undefined, undefined)
  return { entries, versions: new Versions(entries, new Streams()), replica, branch: 'main' }
}

/** Has the two replicas talk today. */
async function converse(kind: Direction | 'clone'): Promise<Conversation> {
  const there = await open('answering')
  await using peer = new WirePeer('mem:', () => there, true)
  if (kind === 'clone') await clone(peer, { root: quick('clone') })
  else await ask(await open('asking'), peer, kind)
  const [said] = peer.transcripts
  assert(said !== undefined)
  const frames = (bytes: Uint8Array): string[] => framesOf(bytes).map(({ whole }) => toHex(whole))
  return { there: frames(said.there), back: frames(said.back) }
}

/** A frame as it is whatever packs its page. */
function unpacked(hex: string): string {
  const [frame] = framesOf(fromHex(hex) as Uint8Array)
  if (frame?.type !== 'P' && frame?.type !== 'S') return hex
  const stored = frame.type === 'S' ? decodeStored(frame.body) : undefined
  const page = decodePage(stored?.page ?? frame.body)
  const entries = [...page].map(({ key, value }) => `${toHex(key)} ${toHex(value)}`)
  return [frame.type, stored === undefined ? '' : toHex(stored.key), ...entries].join('\n')
}

const bytesOf = (frames: readonly string[]): Uint8Array[] => frames.map((hex) => fromHex(hex) as Uint8Array)

/** Entries that are no index. */
async function entriesOf(entries: EntryStore): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const batch of entries.scan()) {
    for (const { key, value } of batch) if (!isDerived(key)) found.set(toHex(key), toHex(value))
  }
  return found
}

describe('the sync protocol, version 1', () => {
  for (const kind of [...DIRECTIONS, 'clone'] as const) {
    it(`is the same bytes as ever: ${kind}`, async () => {
      const said = await converse(kind)
      const golden = fixture.conversations[kind] as Conversation
      assert(golden.there.length > 1 && golden.back.length > 1)
      for (const way of ['there', 'back'] as const) {
        assert.deepEqual(said[way].map(unpacked), golden[way].map(unpacked))
        if (fixture.brotli === process.versions['brotli']) assert.deepEqual(said[way], golden[way])
      }
    })
  }

  for (const kind of DIRECTIONS) {
    it(`answers to what was asked then as it did: ${kind}`, async () => {
      const { there, back } = fixture.conversations[kind] as Conversation
      const answered = await deliver(await open('answering'), bytesOf(there))
      assert.equal(answered.error, undefined)
      const frames = framesOf(answered.back).map(({ whole }) => unpacked(toHex(whole)))
      assert.deepEqual(frames, back.map(unpacked))
    })

    it(`takes what was answered then: ${kind}`, async () => {
      const { back } = fixture.conversations[kind] as Conversation
      const [asking, today, there] = [await open('asking'), await open('asking'), await open('answering')]
      const asked = await ask(asking, parrot(bytesOf(back)), kind)
      assert.deepEqual([asked.refused, asked.refusedThere], [[], []])
      await using peer = new WirePeer('mem:', () => there, true)
      await ask(today, peer, kind)
      assert.deepEqual(await entriesOf(asking.entries), await entriesOf(today.entries))
      assert((await verifyEntries(asking.entries)).ok)
    })
  }

  it('clones what was sent then', async () => {
    const { back } = fixture.conversations['clone'] as Conversation
    const root = quick('golden')
    await clone(parrot(bytesOf(back)), { root })
    await using repo = await Repository.open(root)
    assert.deepEqual((await repo.verify()).damage, [])
    assert.deepEqual(await entriesOf(repo.entries), await entriesOf((await open('answering')).entries))
  })
})
