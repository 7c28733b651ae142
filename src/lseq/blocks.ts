/**
 * The two containers in which LevelDB keeps bytes, read without LevelDB: log files and table files. Only their frames
 * and checksums matter here; `files.ts` decides what a finding means.
 *
 * A log (`*.log`, and `MANIFEST-*` too) is a sequence of 32 KiB blocks; a record is cut where a block ends:
 *
 *     +------------+------------+----------+-----------
 *     | crc32c (4) | length (2) | type (1) | bytes ...     type: 1 whole, 2 first, 3 middle, 4 last part
 *     +------------+------------+----------+-----------    fewer than 7 bytes at the end of a block are padding
 *
 * A table (`*.ldb`) is blocks one after another, to be found from its end:
 *
 *     +------+-----+------+--------+-----------+-------+---------------------------------------------+
 *     | data | ... | data | filter | metaindex | index | metaindex handle, index handle, 0..., magic |
 *     +------+-----+------+--------+-----------+-------+---------------------------------------------+
 *                                                      |<-------------- footer, 48 bytes ----------->|
 *     block  = bytes, compression (1: 0 none, 1 Snappy), crc32c of both (4);  handle = varint offset, varint size
 *     index, metaindex = entries (varint shared, varint own, varint value length, own bytes of key, value), restarts
 *
 * Integers are little-endian. Checksums are CRC-32C, "masked" (rotated, plus a constant).
 * @see doc/log_format.txt, doc/table_format.txt, table/block_builder.cc and util/crc32c.h of LevelDB 1.20;
 *   format_description.txt of Snappy.
 * @module
 */
import { ByteReader } from './varint.js'

const LOG_BLOCK = 32768
const LOG_HEADER = 7
const TRAILER = 5
const FOOTER = 48
/** The last 8 bytes of every table. */
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
/** Snappy never expands more than this: a 3-byte copy makes at most 64 bytes. */
const SNAPPY_MOST = 32

/** Entry `[k][b]` is the CRC of byte `b` with `k` zero bytes after it: four bytes in one step, 800 MB/s against 400. */
const [T0, T1, T2, T3] = crcTables()

function crcTables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const make = (from: (byte: number) => number) => Int32Array.from({ length: 256 }, (_, byte) => from(byte))
  const first = make((byte) => {
    let crc = byte
    // 0x82f63b78 is Castagnoli's polynomial, bits reversed.
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    return crc
  })
  const next = (table: Int32Array) => make((byte) => (first[table[byte]! & 255] as number) ^ (table[byte]! >>> 8))
  const second = next(first)
  const third = next(second)
  return [first, second, third, next(third)]
}

/** CRC-32C of `bytes[start, end)`, unsigned. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1
  let at = start
  for (; at + 4 <= end; at += 4) {
    const a = T3[(crc ^ bytes[at]!) & 255] as number
    const b = T2[((crc >>> 8) ^ bytes[at + 1]!) & 255] as number
    const c = T1[((crc >>> 16) ^ bytes[at + 2]!) & 255] as number
    crc = a ^ b ^ c ^ (T0[((crc >>> 24) ^ bytes[at + 3]!) & 255] as number)
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (T0[(crc ^ bytes[at]!) & 255] as number)
  return ~crc >>> 0
}

/** The masked checksum at `at` is that of `bytes[start, end)`. */
function crcHolds(bytes: Uint8Array, at: number, start: number, end: number): boolean {
  const crc = crc32c(bytes, start, end)
  return readUint32(bytes, at) === (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/** What a log holds. */
export interface LogContent {
  /** The records before the first fault. */
  readonly records: Uint8Array[]
  /** Where the first fault is, if there is one. */
  readonly fault: number | undefined
  /** A sound part of a record begins after the fault, so this is not just a write that was cut short. */
  readonly more: boolean
}

/** Reads a log, stopping at the first fault. */
export function readLog(bytes: Uint8Array): LogContent {
  const records: Uint8Array[] = []
  let parts: Uint8Array[] | undefined
  let at = 0
  while (at < bytes.length) {
    const left = LOG_BLOCK - (at % LOG_BLOCK)
    if (left < LOG_HEADER) {
      at += left
      continue
    }
    const part = logPart(bytes, at)
    if (part === undefined) return { records, fault: at, more: soundAfter(bytes, at) }
    const starts = part.type === 1 || part.type === 2
    if (starts !== (parts === undefined)) return { records, fault: at, more: true }
    parts = [...(parts ?? []), part.body]
    if (part.type === 1 || part.type === 4) {
      records.push(parts.length === 1 ? part.body : Buffer.concat(parts))
      parts = undefined
    }
    at += LOG_HEADER + part.body.length
  }
  return { records, fault: parts === undefined ? undefined : at, more: false }
}

function logPart(bytes: Uint8Array, at: number): { type: number; body: Uint8Array } | undefined {
  const body = at + LOG_HEADER
  if (body > bytes.length) return undefined
  const end = body + (bytes[at + 4]! | (bytes[at + 5]! << 8))
  const type = bytes[at + 6] as number
  if (type < 1 || type > 4 || end > bytes.length || end > at - (at % LOG_BLOCK) + LOG_BLOCK) return undefined
  return crcHolds(bytes, at, at + 6, end) ? { type, body: bytes.subarray(body, end) } : undefined
}

/** Whether a part can be read behind the fault at `at`: right after it by its own length, or where a block begins. */
function soundAfter(bytes: Uint8Array, at: number): boolean {
  const block = at - (at % LOG_BLOCK)
  let next = at + LOG_HEADER + (bytes[at + 4] ?? 0) + (bytes[at + 5] ?? 0) * 256
  while (next + LOG_HEADER < Math.min(bytes.length, block + LOG_BLOCK)) {
    const part = logPart(bytes, next)
    if (part !== undefined) return true
    next += 1
  }
  for (let start = block + LOG_BLOCK; start < bytes.length; start += LOG_BLOCK) {
    if (logPart(bytes, start) !== undefined) return true
  }
  return false
}

/** The part of a file that a block takes, its trailer not counted. */
interface Handle {
  readonly offset: number
  readonly size: number
}

/**
 * Looks for damage in a table.
 *
 * @param bytes - The file from byte `base` to its end.
 * @param base - 0, or where the last part of the file begins: often enough when not every block is to be read.
 * @param every - Check all blocks; otherwise only those that LevelDB follows blindly: index, metaindex and filter.
 * @returns What is wrong, for a person; a number when the file must be read from there on; `undefined` when all is well.
 */
export function tableFault(bytes: Uint8Array, base: number, every: boolean): string | number | undefined {
  const foot = bytes.length - FOOTER
  if (foot < 0) return 'it is too short for a table'
  if (MAGIC.some((byte, i) => bytes[foot + FOOTER - 8 + i] !== byte))
    return 'the mark at its end is not that of a table'
  const footer = new ByteReader(bytes.subarray(foot, foot + FOOTER - 8))
  const metaindex = readHandle(footer)
  const index = readHandle(footer)
  if (!footer.ok) return 'its footer is damaged'
  if (metaindex.offset < base || index.offset < base) return Math.min(metaindex.offset, index.offset)
  const metas = handlesIn(readBlock(bytes, base, metaindex))
  const datas = handlesIn(readBlock(bytes, base, index))
  if (metas === undefined || datas === undefined) return 'its index is damaged'
  const checked = every ? [...metas, ...datas] : metas
  const first = Math.min(...checked.map(({ offset }) => offset))
  if (first < base) return first
  const bad = checked.find((handle) => readBlock(bytes, base, handle) === undefined)
  return bad === undefined ? undefined : `its block at byte ${bad.offset} is damaged`
}

function readHandle(reader: ByteReader): Handle {
  return { offset: reader.varint(), size: reader.varint() }
}

/** The block's bytes as they stand in the file, its compression byte included; `undefined` when they are damaged. */
function readBlock(bytes: Uint8Array, base: number, { offset, size }: Handle): Uint8Array | undefined {
  const start = offset - base
  const end = start + size
  if (end + TRAILER > bytes.length) return undefined
  return crcHolds(bytes, end + 1, start, end + 1) ? bytes.subarray(start, end + 1) : undefined
}

/** The handles that are the values of an index block. */
function handlesIn(block: Uint8Array | undefined): Handle[] | undefined {
  if (block === undefined) return undefined
  const packed = block.subarray(0, -1)
  const plain = block.at(-1) === 1 ? snappyDecode(packed) : packed
  if (plain === undefined || plain.length < 4) return undefined
  const restarts = readUint32(plain, plain.length - 4)
  const entries = plain.length - 4 - restarts * 4
  if (entries < 0) return undefined
  const reader = new ByteReader(plain.subarray(0, entries))
  const handles: Handle[] = []
  while (!reader.done) {
    reader.varint()
    const own = reader.varint()
    const length = reader.varint()
    reader.take(own)
    handles.push(readHandle(new ByteReader(reader.take(length))))
  }
  return reader.ok ? handles : undefined
}

/** Undoes Snappy; `undefined` when `packed` is not Snappy's. */
export function snappyDecode(packed: Uint8Array): Uint8Array | undefined {
  const reader = new ByteReader(packed)
  const size = reader.varint()
  if (!reader.ok || size > packed.length * SNAPPY_MOST) return undefined
  const plain = new Uint8Array(size)
  let end = 0
  while (!reader.done) {
    const tag = reader.byte()
    if ((tag & 3) === 0) {
      // Up to 60 bytes the tag tells the length; 60..63 say that 1..4 bytes with the length follow.
      const short = tag >>> 2
      const literal = reader.take((short < 60 ? short : readLittle(reader.take(short - 59))) + 1)
      if (end + literal.length > size) return undefined
      plain.set(literal, end)
      end += literal.length
      continue
    }
    const length = (tag & 3) === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    const near = (tag & 3) === 1 ? (tag >>> 5) << 8 : 0
    const back = near + readLittle(reader.take([1, 2, 4][(tag & 3) - 1] as number))
    if (back === 0 || back > end || end + length > size) return undefined
    for (const stop = end + length; end < stop; end++) plain[end] = plain[end - back] as number
  }
  return reader.ok && end === size ? plain : undefined
}

function readLittle(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0)
}
