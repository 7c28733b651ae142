/**
 * One exchange, and all places in which it can be broken off: the connection after every byte of either direction, and the
 * process of either side at every batch that it writes. Whatever was broken off is sound, and the next exchange ends it.
 * @module
 */
import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.js'
import { CodedError } from '../../src/base/error.js'
import { verifyEntries } from '../../src/history/verify.js'
import { ask, type Direction } from '../../src/sync/ask.js'
import type { SimReplica } from './replica.js'
import { type Trouble, WirePeer } from './wire.js'

/** Two replicas that are to meet. */
export interface Meeting {
  readonly asking: SimReplica
  readonly answering: SimReplica
  readonly direction: Direction
  readonly isInteractive: boolean
}

/** How an exchange is to be broken off. */
interface Break {
  readonly trouble?: Trouble
  readonly death?: { readonly who: 'asking' | 'answering'; readonly batch: number; readonly arrives: boolean }
}

/** How long an exchange is that goes well, in bytes each way. */
export async function measure(meeting: Meeting): Promise<{ there: number; back: number }> {
  const { peer } = await meet(meeting, {})
  const count = (way: 'there' | 'back') => peer.transcripts.reduce((sum, one) => sum + one[way].length, 0)
  return { there: count('there'), back: count('back') }
}

/** Breaks an exchange off after so many bytes. */
export async function cutAt(meeting: Meeting, way: 'there' | 'back', after: number): Promise<void> {
  const { asking, answering } = await meet(meeting, {
    trouble: way === 'there' ? { cutThere: after } : { cutBack: after },
  })
  await assertMends(meeting, asking, answering, `cut ${way} after ${after} bytes`)
}

/** Lets every batch of either side be the last one in turn; answers how many there were. */
export async function dieEverywhere(meeting: Meeting): Promise<number> {
  let deaths = 0
  for (const who of ['asking', 'answering'] as const) {
    for (const arrives of [false, true]) {
      for (let batch = 1; ; batch++) {
        const { asking, answering, died } = await meet(meeting, { death: { who, batch, arrives } })
        if (!died) break
        deaths++
        const replica = who === 'asking' ? asking : answering
        for (const keep of [0, 1]) await replica.disk.lose((unsynced) => unsynced * keep)
        await replica.restart()
        await assertMends(meeting, asking, answering, `${who} side dies at batch ${batch}`)
      }
    }
  }
  return deaths
}

async function meet(
  meeting: Meeting,
  { trouble, death }: Break,
): Promise<{ asking: SimReplica; answering: SimReplica; peer: WirePeer; died: boolean }> {
  const asking = await meeting.asking.twin(meeting.asking.number)
  const answering = await meeting.answering.twin(meeting.answering.number)
  const there = await answering.context()
  const peer = new WirePeer(
    'mem:there',
    () => there,
    meeting.isInteractive,
    () => trouble ?? {},
  )
  const dying = death === undefined ? undefined : death.who === 'asking' ? asking : answering
  dying?.store.dieAt(death?.batch ?? 0, death?.arrives ?? false, async () => peer.cut())
  try {
    await ask(await asking.context(), peer, meeting.direction)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
  }
  await peer[Symbol.asyncDispose]()
  for (const fault of peer.faults) throw fault
  dying?.store.spare()
  return { asking, answering, peer, died: dying?.store.isDead === true }
}

/** Sees to it that both sides are sound, and that they are the same after one more exchange. */
async function assertMends(meeting: Meeting, asking: SimReplica, answering: SimReplica, where: string): Promise<void> {
  const before = [meeting.asking, meeting.answering]
  for (const [i, replica] of [asking, answering].entries()) {
    await replica.look()
    for (const id of before[i]?.has ?? []) assert(replica.has.has(id), `a version is gone, ${where}`)
    const { damage } = await verifyEntries(replica.entries)
    assert.deepEqual(damage, [], where)
  }
  const there = await answering.context()
  await using peer = new WirePeer('mem:there', () => there, true)
  await ask(await asking.context(), peer, 'sync')
  assert.deepEqual(await entriesIn(asking), await entriesIn(answering), where)
}

/** All that is in a store but for what is made again from the rest, and what only that replica needs. */
async function entriesIn({ entries }: SimReplica): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const batch of entries.scan()) {
    for (const { key, value } of batch) {
      if (key[0] !== 0x49 && key[0] !== 0x58) found.set(toHex(key), toHex(value))
    }
  }
  for await (const keys of entries.store.keys({ gte: Uint8Array.of(0x61), lt: Uint8Array.of(0x62) })) {
    for (const key of keys) assert.fail(`something is left aside: ${toHex(key)}`)
  }
  return found
}
