/**
 * The body of a page: its entries as columns, since like compresses best beside like.
 *
 * First the lengths in bytes of the first eight columns as varints, then the columns:
 *
 *     drop      how many bytes to take off the end of the previous key, varint
 *     own       how many bytes to put there, varint; the lseq comes behind them
 *     middle    those bytes
 *     back      how many entries before the previous one the entry is whose lseq is near, one byte
 *     delta     this lseq's seq less that one's, zig-zag varint
 *     stream    0: that one's stream; n: the n-th stream that was written out in this column, varint;
 *               one more than there are: a new one, 3 bytes, follows
 *     length    of the value, varint: length * 2, plus 1 if the value is in `texts`
 *     records   values that do not end in a newline (tombstones, headers, digests ...)
 *     texts     values that do
 *
 * Before the first entry stands the page's first key, which the reader knows: it is the previous key, and its lseq the
 * one to be near to. What lies inside a run has a key that begins with the whole key of the run. A change's runs and tombstones lie far apart in a file but have lseqs next to each other; that
 * is what `back` finds. page.ts has the measurements.
 * @module
 */
import { compareBytes, equalBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { type Entry, EntryBatch } from './batch.js'
import { LSEQ_BYTES, readSeq, readStream, SEQ_LIMIT, writeLseq } from './lseq.js'
import { ByteReader, ByteWriter } from './varint.js'

/** No body is larger than this, nor are its keys: what a damaged or hostile page can make us allocate. */
export const PAGE_LIMIT = 1 << 26

/** An entry has at least one byte in each of the first eight columns but `middle` and `records`. */
export const ENTRY_LEAST = 6

const COLUMNS = 8
const RECORDS = 7
/** How far `back` looks; it is one byte. */
const WINDOW = 255
const NEWLINE = 10

/**
 * The columns of `entries`.
 *
 * @throws {RangeError} for no entries, keys that are too short or do not ascend, or more than a page may hold.
 */
export function encodeColumns(entries: readonly Entry[]): Uint8Array {
  if (entries.length === 0) throw new RangeError('entries: expected at least one, got none')
  const columns = Array.from({ length: COLUMNS }, () => new ByteWriter())
  const [drop, own, middle, back, delta, stream, length, records] = columns as FixedColumns
  const lseqs = new LseqCoder(entries.length)
  let previous = (entries[0] as Entry).key
  lseqs.push(previous)
  let texts = 0
  let keys = 0
  entries.forEach(({ key, value }, i) => {
    if (key.length < LSEQ_BYTES) throw new RangeError(`key: expected at least ${LSEQ_BYTES} bytes, got ${key.length}`)
    if (i > 0 && compareBytes(previous, key) >= 0) throw new RangeError('entries: expected ascending keys')
    const kept = sharedStart(previous, key)
    drop.varint(previous.length - kept)
    own.varint(key.length - LSEQ_BYTES - kept)
    middle.bytes(key, kept, key.length - LSEQ_BYTES)
    lseqs.encode(key, back, delta, stream)
    const text = value.at(-1) === NEWLINE
    length.varint(value.length * 2 + (text ? 1 : 0))
    if (text) texts += value.length
    else records.bytes(value)
    keys += key.length
    previous = key
  })
  const head = new ByteWriter()
  for (const column of columns) head.varint(column.length)
  const size = columns.reduce((sum, column) => sum + column.length, head.length + texts)
  if (size > PAGE_LIMIT || keys > PAGE_LIMIT) {
    throw new RangeError(`entries: expected at most ${PAGE_LIMIT} bytes, got ${Math.max(size, keys)}`)
  }
  const body = new ByteWriter(size)
  for (const part of [head, ...columns]) body.bytes(part.view())
  for (const { value } of entries) if (value.at(-1) === NEWLINE) body.bytes(value)
  return body.view()
}

type FixedColumns = [ByteWriter, ByteWriter, ByteWriter, ByteWriter, ByteWriter, ByteWriter, ByteWriter, ByteWriter]

/** Bytes with which `previous` begins like `key`, the lseq of `key` left out. */
function sharedStart(previous: Uint8Array, key: Uint8Array): number {
  const limit = Math.min(previous.length, key.length - LSEQ_BYTES)
  let shared = 0
  while (shared < limit && previous[shared] === key[shared]) shared++
  return shared
}

/** The lseqs so far, and the next one as a step from the nearest of the last few. */
class LseqCoder {
  readonly #seqs: Float64Array
  readonly #streams: Int32Array
  readonly #known: number[] = []
  #count = 0

  constructor(entries: number) {
    this.#seqs = new Float64Array(entries + 1)
    this.#streams = new Int32Array(entries + 1)
  }

  push(key: Uint8Array): void {
    this.#seqs[this.#count] = readSeq(key, key.length - LSEQ_BYTES)
    this.#streams[this.#count] = readStream(key, key.length - LSEQ_BYTES)
    this.#count++
  }

  encode(key: Uint8Array, back: ByteWriter, delta: ByteWriter, stream: ByteWriter): void {
    this.push(key)
    const last = this.#count - 1
    const near = this.#nearest(last)
    back.byte(last - 1 - near)
    const step = (this.#seqs[last] as number) - (this.#seqs[near] as number)
    delta.varint(step < 0 ? -2 * step - 1 : 2 * step)
    const own = this.#streams[last] as number
    if (own === this.#streams[near]) {
      stream.varint(0)
      return
    }
    const index = this.#known.indexOf(own)
    stream.varint((index < 0 ? this.#known.length : index) + 1)
    if (index >= 0) return
    this.#known.push(own)
    stream.bytes(key, key.length - 3)
  }

  /** The entry with the nearest seq among the last ones of the same stream; the previous one when there is none. */
  #nearest(last: number): number {
    const seq = this.#seqs[last] as number
    const stream = this.#streams[last]
    let near = last - 1
    let least = Number.POSITIVE_INFINITY
    for (let i = last - 1; i >= 0 && i >= last - 1 - WINDOW; i--) {
      const distance = Math.abs(seq - (this.#seqs[i] as number))
      if (distance < least && this.#streams[i] === stream) {
        near = i
        least = distance
        if (distance <= 1) break
      }
    }
    return near
  }
}

/** What the reader of a body knows from the page's header. */
export interface ColumnsHeader {
  readonly count: number
  /** Bytes of all keys written out. */
  readonly keyBytes: number
  readonly firstKey: Uint8Array
  /** Where it is known: what the last key must be. */
  readonly lastKey?: Uint8Array | undefined
}

/**
 * Entries of a body; keys are written out, values are views of `body`.
 *
 * Nearly all pages are decoded by WebAssembly (kernel.ts); this says what is right, and does what that declines. Integers of
 * one byte, nearly all there are, are read in place and without a call: half the time where it is not compiled yet.
 *
 * @throws {CodedError} `PAGE_CORRUPT` unless the columns are whole and the keys ascend.
 */
export function decodeColumns(body: Uint8Array, header: ColumnsHeader): EntryBatch {
  const columns = openColumns(body)
  const { count, keyBytes, lastKey } = header
  const keys = new Uint8Array(keyBytes)
  const keyStarts = new Uint32Array(count)
  const keyEnds = new Uint32Array(count)
  const long = new ByteReader(body)
  decodeKeys(body, header, columns, long, keys, keyStarts, keyEnds)
  const valueStarts = new Uint32Array(count)
  const valueEnds = new Uint32Array(count)
  const [, , , , , , length, records, texts] = columns
  for (let i = 0; i < count; i++) {
    let coded = body[length.at++] as number
    if (coded >= LONG) coded = longOf(length, long)
    const column = coded % 2 === 1 ? texts : records
    valueStarts[i] = column.at
    column.at += Math.floor(coded / 2)
    if (!(column.at <= column.end)) throw corruptPage('a value reaches beyond its column')
    valueEnds[i] = column.at
  }
  if (!long.ok || columns.some(({ at, end }) => at !== end)) throw corruptPage('its columns do not add up')
  const batch = new EntryBatch(keys, keyStarts, keyEnds, body, valueStarts, valueEnds)
  if (lastKey !== undefined && !equalBytes(batch.key(count - 1), lastKey)) {
    throw corruptPage('its key is not that of its last entry')
  }
  return batch
}

/** First bytes from here on begin an integer of several bytes. */
const LONG = 128

/** What is left to read of a column. */
interface Column {
  at: number
  readonly end: number
}

type Columns = [Column, Column, Column, Column, Column, Column, Column, Column, Column]

/**
 * Where in a body the records begin: behind the columns that keys and lengths are made from.
 *
 * @throws {CodedError} `PAGE_CORRUPT`.
 */
export function recordsStart(body: Uint8Array): number {
  return openColumns(body)[RECORDS].at
}

function openColumns(body: Uint8Array): Columns {
  const head = new ByteReader(body)
  const lengths = Array.from({ length: COLUMNS }, () => head.varint())
  let at = head.at
  const columns = lengths.map((length) => {
    at += length
    return { at: at - length, end: at }
  })
  if (!head.ok || at > body.length) throw corruptPage('its columns do not fit')
  return [...columns, { at, end: body.length }] as Columns
}

/** @param long - Reads what does not fit into one byte. */
function decodeKeys(
  body: Uint8Array,
  { count, firstKey }: ColumnsHeader,
  columns: Columns,
  long: ByteReader,
  keys: Uint8Array,
  keyStarts: Uint32Array,
  keyEnds: Uint32Array,
): void {
  const [drop, own, middle, back, delta, stream] = columns
  const seqs = new Float64Array(count + 1)
  const streams = new Int32Array(count + 1)
  const known: number[] = []
  seqs[0] = readSeq(firstKey, firstKey.length - LSEQ_BYTES)
  streams[0] = readStream(firstKey, firstKey.length - LSEQ_BYTES)
  let previous = firstKey
  let previousStart = 0
  let previousLength = firstKey.length
  let at = 0
  for (let i = 0; i < count; i++) {
    let dropped = body[drop.at++] as number
    if (dropped >= LONG) dropped = longOf(drop, long)
    let added = body[own.at++] as number
    if (added >= LONG) added = longOf(own, long)
    const kept = previousLength - dropped
    const start = at
    const end = start + kept + added + LSEQ_BYTES
    if (!(kept >= 0 && end <= keys.length && middle.at + added <= middle.end))
      throw corruptPage(`its key ${i} does not fit`)
    for (let k = previousStart; k < previousStart + kept; k++) keys[at++] = previous[k] as number
    for (let k = 0; k < added; k++) keys[at++] = body[middle.at++] as number
    const near = i - (body[back.at++] as number)
    let coded = body[delta.at++] as number
    if (coded >= LONG) coded = longOf(delta, long)
    const seq = (seqs[near] ?? -1) + (coded % 2 === 1 ? -(coded + 1) / 2 : coded / 2)
    let index = body[stream.at++] as number
    if (index >= LONG) index = longOf(stream, long)
    if (index === known.length + 1) {
      known.push(((body[stream.at++] ?? 0) << 16) | ((body[stream.at++] ?? 0) << 8) | (body[stream.at++] ?? 0))
    }
    const id = index === 0 ? streams[near] : known[index - 1]
    if (near < 0 || id === undefined || !(seq >= 0 && seq < SEQ_LIMIT))
      throw corruptPage(`its lseq ${i} makes no sense`)
    seqs[i + 1] = seq
    streams[i + 1] = id
    at = writeLseq(keys, at, seq, id)
    keyStarts[i] = start
    keyEnds[i] = end
    if (i > 0 && !ascending(keys, previousStart, start, end, kept))
      throw corruptPage(`its keys ${i - 1} and ${i} are out of order`)
    previous = keys
    previousStart = start
    previousLength = end - start
  }
  if (at !== keys.length) throw corruptPage('its keys do not add up')
  if (compareBytes(keys.subarray(0, keyEnds[0]), firstKey) !== 0)
    throw corruptPage('its first key is not its first key')
}

/** The integer of several bytes whose first byte has just been read. */
function longOf(column: Column, long: ByteReader): number {
  long.at = column.at - 1
  const value = long.varint()
  column.at = long.at
  return value
}

/** Whether the key at `[left, right)` of `keys` is below the one at `[right, end)`; their first `same` bytes are alike. */
function ascending(keys: Uint8Array, left: number, right: number, end: number, same: number): boolean {
  for (let a = left + same, b = right + same; b < end; a++, b++) {
    if (a === right) return true
    if (keys[a] !== keys[b]) return (keys[a] as number) < (keys[b] as number)
  }
  return false
}

/** The error for a page that is not as it was written. */
export function corruptPage(detail: string, cause?: unknown): CodedError {
  return new CodedError('PAGE_CORRUPT', `A page is damaged: ${detail}.`, cause === undefined ? {} : { cause })
}
