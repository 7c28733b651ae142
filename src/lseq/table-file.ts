/**
 * LevelDB's table files (`*.ldb`), looked at without LevelDB.
 *
 * A table is blocks one after another, to be found from its end:
 *
 *     +------+-----+------+--------+-----------+-------+---------------------------------------------+
 *     | data | ... | data | filter | metaindex | index | metaindex handle, index handle, 0..., magic |
 *     +------+-----+------+--------+-----------+-------+---------------------------------------------+
 *                                                      |<-------------- footer, 48 bytes ----------->|
 *     block   = bytes, compression (1: 0 none, 1 Snappy), crc32c of both (4);  handle = varint offset, varint size
 *     bytes   = entries, offsets of the entries with a whole key (4 each), how many those are (4)
 *     entry   = varint bytes shared with the key before, varint own bytes, varint value bytes, own bytes, value
 *     key     = the user's key, then 8 bytes: sequence number and type, little-endian, greater ones sorting first
 *
 * In the index a value is the handle of a data block, its key not below the block's last nor above the next one's first.
 *
 * LevelDB reads blocks without looking at their checksums, and its code holds assertions: a flipped bit in a key's
 * length, or one that puts keys out of order, ends the process. A flipped bit in a value does not, and is better found
 * by those who know what the value means. So what is checked before LevelDB may open a table is that its blocks are
 * *sound*: either the checksum holds, or the block's keys can be walked and ascend. For the large blocks that pages lie
 * in, walking is much cheaper, as values are stepped over.
 * @see doc/table_format.txt, table/block_builder.cc and db/dbformat.h of LevelDB 1.20.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { crcHolds, readUint32 } from './crc32c.js'
import { snappyDecode } from './snappy.js'
import { ByteReader } from './varint.js'

const TRAILER = 5
const FOOTER = 48
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
/** Bytes behind the user's key. */
const TAG = 8
/** The longest head of an entry: three varints of 32 bits. */
const ENTRY_HEAD = 15
/** Blocks over this are walked rather than summed up: of those that pages lie in, all. */
const LARGE = 16 * 1024
/** What to read at once while walking. */
const WINDOW = 4 * 1024

/** Bytes that can be had in parts: a file, or a block that was unpacked. */
export interface Source {
  readonly size: number
  /** The bytes `[offset, offset + length)`; fewer where the source ends. */
  read(offset: number, length: number): Uint8Array
}

/** Keys that LevelDB noted for a table: its first and its last. */
export interface Bounds {
  readonly smallest: Uint8Array
  readonly largest: Uint8Array
}

/** Where a block is, its trailer not counted. */
interface Handle {
  readonly offset: number
  readonly size: number
}

/** A data block as the index has it: keys are in `(above, upTo]`, or for the first block in `[smallest, upTo]`. */
interface Block extends Handle {
  readonly key: Uint8Array
}

/**
 * Looks for damage in a table.
 *
 * @param every - Check each block against its checksum; otherwise it is enough that LevelDB can read it safely.
 * @returns What is wrong, for a person; `undefined` when nothing is.
 */
export function tableFault(file: Source, bounds: Bounds, every: boolean): string | undefined {
  const footer = file.read(file.size - FOOTER, FOOTER)
  if (file.size < FOOTER || MAGIC.some((byte, i) => footer[FOOTER - MAGIC.length + i] !== byte)) {
    return 'the mark of a table at its end is missing'
  }
  const reader = new ByteReader(footer)
  const metaindex = readHandle(reader)
  const index = readHandle(reader)
  const [metas, blocks] = [metaindex, index].map((handle) => indexEntries(whole(file, handle)))
  if (metas === undefined || blocks === undefined) return 'its index is damaged'
  if (metas.some((handle) => whole(file, handle) === undefined)) return 'its filter is damaged'
  for (const [i, block] of blocks.entries()) {
    if ((every || block.size <= LARGE) && whole(file, block) !== undefined) continue
    const above = blocks[i - 1]?.key
    const range = { above, from: bounds.smallest, upTo: i === blocks.length - 1 ? bounds.largest : block.key }
    if (every || !sound(file, block, range)) return `its block at byte ${block.offset} is damaged`
  }
  return undefined
}

/** An entry of a table, its key with the tag. */
export interface TableEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** Whether the checksum of its block holds. */
  readonly isSound: boolean
}

/** The entries of a table that may be damaged, as far as its blocks can be walked; none where its index is damaged. */
export function* readTable(file: Source): Generator<TableEntry> {
  if (file.size < FOOTER) return
  const reader = new ByteReader(file.read(file.size - FOOTER, FOOTER))
  readHandle(reader)
  for (const block of indexEntries(whole(file, readHandle(reader))) ?? []) {
    const bytes = whole(file, block)
    const isSound = bytes !== undefined
    const source = unpacked(bytes ?? file.read(block.offset, block.size + 1))
    if (source === undefined) continue
    const found: TableEntry[] = []
    walk(source, (key, { offset, size }) => {
      if (key.length >= TAG) found.push({ key, value: source.read(offset, size), isSound })
      return true
    })
    yield* found
  }
}

function readHandle(reader: ByteReader): Handle {
  return { offset: reader.varint(), size: reader.varint() }
}

/** The bytes of a block whose checksum holds, with the one that tells the compression; `undefined` of any other. */
function whole(file: Source, { offset, size }: Handle): Uint8Array | undefined {
  if (offset + size + TRAILER > file.size) return undefined
  const bytes = file.read(offset, size + TRAILER)
  if (bytes.length !== size + TRAILER || !crcHolds(bytes, size + 1, 0, size + 1)) return undefined
  return bytes.subarray(0, size + 1)
}

/** What an index names: keys and handles. */
function indexEntries(block: Uint8Array | undefined): Block[] | undefined {
  const source = block && unpacked(block)
  const found: Block[] = []
  const fine =
    source &&
    walk(source, (key, value) => {
      const reader = new ByteReader(source.read(value.offset, value.size))
      found.push({ key, ...readHandle(reader) })
      return reader.ok
    })
  return fine === true ? found : undefined
}

/** A block's bytes without compression. The last byte tells which there is. */
function unpacked(block: Uint8Array): Source | undefined {
  const packed = block.subarray(0, -1)
  const bytes = block.at(-1) === 0 ? packed : block.at(-1) === 1 ? snappyDecode(packed) : undefined
  return bytes && { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) }
}

/** Whether LevelDB can read a block whose checksum does not hold, or was not looked at, and find its keys in order. */
function sound(
  file: Source,
  { offset, size }: Handle,
  { above, from, upTo }: { above: Uint8Array | undefined; from: Uint8Array; upTo: Uint8Array },
): boolean {
  if (offset + size + TRAILER > file.size) return false
  const [compression] = file.read(offset + size, 1)
  const source =
    compression === 0
      ? { size, read: (at: number, length: number) => file.read(offset + at, length) }
      : unpacked(file.read(offset, size + 1))
  let previous = above ?? from
  let strict = above !== undefined
  const inOrder = (key: Uint8Array): boolean => {
    if (key.length < TAG) return false
    const order = compareKeys(previous, key)
    if (order > 0 || (strict && order === 0)) return false
    previous = key
    strict = true
    return true
  }
  return source !== undefined && walk(source, inOrder) && compareKeys(previous, upTo) <= 0
}

/** LevelDB's order: the user's keys upward, and of one key the newest first. */
function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const order = compareBytes(a.subarray(0, -TAG), b.subarray(0, -TAG))
  return order !== 0 ? order : compareBytes(b.subarray(-TAG).toReversed(), a.subarray(-TAG).toReversed())
}

/**
 * Goes through a block's entries, without reading values.
 *
 * @param visit - Gets each key and where its value is; false ends the walk.
 * @returns Whether the block is as it should be, and every visit returned true.
 */
function walk(source: Source, visit: (key: Uint8Array, value: Handle) => boolean): boolean {
  if (source.size < 4) return false
  const restarts = readUint32(source.read(source.size - 4, 4), 0)
  const end = source.size - 4 - restarts * 4
  if (end < 0 || restarts === 0) return false
  const offsets = source.read(end, restarts * 4)
  let seen = 0
  let window: Uint8Array = new Uint8Array(0)
  let base = 0
  const view = (at: number, length: number): Uint8Array => {
    if (at < base || at + length > base + window.length) {
      base = at
      window = source.read(at, Math.min(Math.max(WINDOW, length), end - at))
    }
    return window.subarray(at - base, at - base + length)
  }
  let previous: Uint8Array = new Uint8Array(0)
  for (let at = 0; at < end; ) {
    const head = new ByteReader(view(at, Math.min(ENTRY_HEAD, end - at)))
    const [shared, own, size] = [head.varint(), head.varint(), head.varint()]
    const start = at + head.at
    if (!head.ok || shared > previous.length || start + own + size > end) return false
    if (seen < restarts && readUint32(offsets, seen * 4) === at) {
      if (shared !== 0) return false
      seen++
    }
    const key = new Uint8Array(shared + own)
    key.set(previous.subarray(0, shared))
    key.set(view(start, own), shared)
    if (!visit(key, { offset: start + own, size })) return false
    previous = key
    at = start + own + size
  }
  return seen === restarts
}
