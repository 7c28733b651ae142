/**
 * Sending a whole repository: its pages as they are stored, so that neither side has to put versions together.
 *
 * What is not published must not go along. Mostly everything is, and pages go unopened; else each one is looked into, and one
 * that holds something private is packed anew without it. Indexes are never sent: whoever clones makes its own.
 *
 * Loose entries go first. An entry that moves into a page meanwhile comes twice then, and never not at all.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { kindRange } from '../history/keys.js'
import type { Tips } from '../history/published.js'
import type { EntryStore } from '../lseq/entries.js'
import { lseqOfKey } from '../lseq/lseq.js'
import { openPage } from '../lseq/page.js'
import { PAGE, storeKey, successor } from '../lseq/pages.js'
import { zipUint } from '../rdx/zip.js'
import type { SyncContext } from './context.js'
import type { Exchange } from './exchange.js'
import { badFrame, writeFrame } from './frames.js'
import { decodeStored, encodeStored, FRAME, type Hello } from './messages.js'
import { PageFiller } from './packing.js'

/** Bytes read from the store at a time: for each of many clones that go on at once. */
const READ_BYTES = 1 << 18

/** Kinds that are made from the others. */
const DERIVED = new Set([...'IX'].map((letter) => letter.charCodeAt(0)))

/**
 * Sends all entries that are offered.
 *
 * @param hello - Of a clone that goes on: the last key it has, and the tips it began with, to which it is kept.
 */
export async function sendStored(
  { entries }: Pick<SyncContext, 'entries'>,
  exchange: Pick<Exchange, 'write'>,
  mine: Tips,
  { tips, after }: Pick<Hello, 'tips' | 'after'>,
): Promise<void> {
  const goesOn = after !== undefined
  if (goesOn && !mine.includes(tips)) throw badFrame('it goes on with a clone of something that is not here')
  const offered = goesOn ? tips : mine
  const isOffered = (key: Uint8Array): boolean => {
    const { seq, stream } = lseqOfKey(key)
    if (seq > 0) return !DERIVED.has(key[0] as number) && offered.covers({ seq, stream })
    return stream === 0 || offered.get(stream) !== undefined
  }
  await sendLoose(entries, exchange, isOffered)
  const isAll = await isEverything(entries, offered)
  const gte = goesOn ? storeKey(PAGE, successor(after)) : Uint8Array.of(PAGE)
  for await (const pairs of entries.store.scan({ gte, lt: Uint8Array.of(PAGE + 1), batchBytes: READ_BYTES })) {
    for (const [stored, page] of pairs) {
      const key = stored.subarray(1)
      if (DERIVED.has(key[0] as number)) continue
      const { firstKey } = openPage(page)
      const isCut = goesOn && compareBytes(firstKey, after) <= 0
      if (isAll && !isCut) await writeFrame(exchange, FRAME.stored, encodeStored({ key, page }))
      else await sendPart(exchange, page, (one) => isOffered(one) && !(isCut && compareBytes(one, after) <= 0))
    }
  }
}

async function sendLoose(
  entries: EntryStore,
  exchange: Pick<Exchange, 'write'>,
  isOffered: (key: Uint8Array) => boolean,
): Promise<void> {
  const page = new PageFiller()
  let count = 0
  const send = async (): Promise<void> => writeFrame(exchange, FRAME.page, await page.pack())
  for await (const batch of entries.scanLoose()) {
    for (const entry of batch) {
      if (!isOffered(entry.key)) continue
      count++
      page.add(entry)
      if (page.isFull) await send()
    }
  }
  if (!page.isEmpty) await send()
  if (count > 0) await writeFrame(exchange, FRAME.batch, zipUint(count))
}

/** A frame with a stored page, or what of it is behind a key: for a clone that goes on. */
export async function* sendStoredAfter(body: Uint8Array, after: Uint8Array): AsyncGenerator<Uint8Array> {
  const { key, page } = decodeStored(body)
  if (compareBytes(key, after) <= 0) return
  const sent: Uint8Array[] = []
  const exchange = { write: async (bytes: Uint8Array) => void sent.push(bytes) }
  await sendPart(exchange, page, (one) => compareBytes(one, after) > 0)
  yield* sent
}

/** Sends the entries of a page that may be sent. */
async function sendPart(
  exchange: Pick<Exchange, 'write'>,
  page: Uint8Array,
  isOffered: (key: Uint8Array) => boolean,
): Promise<void> {
  const batch = openPage(page).unpack()
  const filler = new PageFiller()
  let last: Uint8Array | undefined
  for (const entry of batch) {
    if (!isOffered(entry.key)) continue
    filler.add(entry)
    last = entry.key
  }
  if (last === undefined) return
  const isSame = filler.size === batch.count
  const bytes = isSame ? page : await filler.pack()
  await writeFrame(exchange, FRAME.stored, encodeStored({ key: last, page: bytes }))
}

/** Whether no version here is private. */
async function isEverything(entries: EntryStore, offered: Tips): Promise<boolean> {
  for await (const batch of entries.scan({ ...kindRange('V') })) {
    for (let i = 0; i < batch.count; i++) if (!offered.covers(lseqOfKey(batch.key(i)))) return false
  }
  for await (const batch of entries.scan(kindRange('K'))) {
    for (let i = 0; i < batch.count; i++) {
      const { stream } = lseqOfKey(batch.key(i))
      if (stream !== 0 && offered.get(stream) === undefined) return false
    }
  }
  return true
}
