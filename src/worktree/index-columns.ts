/**
 * The index file: the tree of one version and the stats of its files, as columns.
 *
 * `status` reads it on every call, so a tree of 80,000 files has to be there in a few milliseconds: numbers lie in typed
 * arrays over the file's bytes, and nothing becomes an object before it is asked for. The file is this machine's alone
 * and can be made anew from the store, hence numbers are in the machine's own byte order, which the mark tells: read in
 * the other order it is no mark, and the index counts as damaged.
 *
 *       0 | 'weft-ix1' (8) | mark 01020304 (4) | crc32 of all that follows (4) |
 *      16 | stamp, random (8) | entries n (4) | directories d (4) | bytes of names (4) | of directories' names (4) |
 *      40 | 1 if there is a base (4) | 0 (4) | base: lseq, big-endian (8), id (32) | 0 (8) |
 *      96 | f64 n each   size, mtime, ctime, inode, seq of the file
 *         | u32 n each   stream of the file, mode, end of the name
 *         | u32 d each   parent, first entry, end of entries, end of the name
 *         | SHA-256, 32 n | root of the directory, 32 d | flags of entries, n | flags of directories, d |
 *         | names | directories' names |
 *
 * Entries are in byte order of their paths, and a name is the path's last part. Directories are in the order in which they
 * are met on the way through the entries: a parent before its children, 0 is the top, whose name is empty. All entries
 * below a directory, at any depth, are `[first, end)`, so nothing need say which directory an entry is in. Times are
 * milliseconds since 1970; mtime, ctime and inode are 0 where no stat is known.
 *
 *     flags of an entry       1 its content is kept as chunks, 2 its stat is known
 *     flags of a directory    1 its root (history/tree.ts) is known
 *
 * The checksum finds accidents. Whoever reads columns relies on more, so all of it is checked as well: order, ranges,
 * names that are one part of a path.
 * @module
 */
import { crc32 } from 'node:zlib'
import { equalBytes, fromLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { SEQ_LIMIT, STREAM_LIMIT } from '../lseq/lseq.js'
import { CHUNKED, HAS_STAT } from './index-flags.js'

const MAGIC = fromLatin1('weft-ix1')
const MARK = 0x01020304
const HEADER_BYTES = 96
const CRC_END = 16

/** Offsets of the header's numbers, in units of 4 bytes. */
const WORD = { mark: 2, crc: 3, entries: 6, directories: 7, nameBytes: 8, dirNameBytes: 9, hasBase: 10 }
const STAMP_AT = 16
const BASE_AT = 48
const BASE_BYTES = 40

const F64_COLUMNS = 5
const U32_COLUMNS = 3
const U32_DIR_COLUMNS = 4
const DIGEST_BYTES = 32

/** How much of everything there is. */
export interface Extent {
  readonly entries: number
  readonly directories: number
  readonly nameBytes: number
  readonly dirNameBytes: number
}

/** The file's bytes, and views of them. */
export interface Columns extends Extent {
  readonly bytes: Uint8Array
  /** 8 bytes, different each time an index is written. */
  readonly stamp: Uint8Array
  /** Lseq (8) and id (32), or nothing. */
  readonly base: Uint8Array | undefined
  readonly size: Float64Array
  readonly mtime: Float64Array
  readonly ctime: Float64Array
  readonly inode: Float64Array
  readonly seq: Float64Array
  readonly stream: Uint32Array
  readonly mode: Uint32Array
  readonly nameEnd: Uint32Array
  readonly parent: Uint32Array
  readonly first: Uint32Array
  readonly end: Uint32Array
  readonly dirNameEnd: Uint32Array
  readonly sha256: Uint8Array
  readonly roots: Uint8Array
  readonly flags: Uint8Array
  readonly dirFlags: Uint8Array
  readonly names: Uint8Array
  readonly dirNames: Uint8Array
}

/** Bytes of a file that holds this much. */
function bytesFor({ entries, directories, nameBytes, dirNameBytes }: Extent): number {
  const perEntry = F64_COLUMNS * 8 + U32_COLUMNS * 4 + DIGEST_BYTES + 1
  const perDirectory = U32_DIR_COLUMNS * 4 + DIGEST_BYTES + 1
  return HEADER_BYTES + entries * perEntry + directories * perDirectory + nameBytes + dirNameBytes
}

/** Columns over new bytes, all zero but for the header. */
export function allocateColumns(extent: Extent, base: Uint8Array | undefined): Columns {
  const bytes = new Uint8Array(bytesFor(extent))
  bytes.set(MAGIC)
  const words = new Uint32Array(bytes.buffer, 0, HEADER_BYTES / 4)
  words[WORD.mark] = MARK
  words[WORD.entries] = extent.entries
  words[WORD.directories] = extent.directories
  words[WORD.nameBytes] = extent.nameBytes
  words[WORD.dirNameBytes] = extent.dirNameBytes
  if (base !== undefined) {
    words[WORD.hasBase] = 1
    bytes.set(base, BASE_AT)
  }
  return viewColumns(bytes, extent)
}

/** @param bytes - At offset 0 of their buffer, as many as the extent takes. */
function viewColumns(bytes: Uint8Array, extent: Extent): Columns {
  const { entries: n, directories: d, nameBytes, dirNameBytes } = extent
  let at = HEADER_BYTES
  const f64 = (): Float64Array => {
    const column = new Float64Array(bytes.buffer, at, n)
    at += 8 * n
    return column
  }
  const u32 = (count: number): Uint32Array => {
    const column = new Uint32Array(bytes.buffer, at, count)
    at += 4 * count
    return column
  }
  const part = (length: number): Uint8Array => {
    at += length
    return bytes.subarray(at - length, at)
  }
  const hasBase = new Uint32Array(bytes.buffer, 0, HEADER_BYTES / 4)[WORD.hasBase] === 1
  return {
    ...extent,
    bytes,
    stamp: bytes.subarray(STAMP_AT, STAMP_AT + 8),
    base: hasBase ? bytes.subarray(BASE_AT, BASE_AT + BASE_BYTES) : undefined,
    size: f64(),
    mtime: f64(),
    ctime: f64(),
    inode: f64(),
    seq: f64(),
    stream: u32(n),
    mode: u32(n),
    nameEnd: u32(n),
    parent: u32(d),
    first: u32(d),
    end: u32(d),
    dirNameEnd: u32(d),
    sha256: part(DIGEST_BYTES * n),
    roots: part(DIGEST_BYTES * d),
    flags: part(n),
    dirFlags: part(d),
    names: part(nameBytes),
    dirNames: part(dirNameBytes),
  }
}

/** Fills the checksum in: the bytes are the file then. */
export function sealColumns({ bytes }: Columns): void {
  new Uint32Array(bytes.buffer, 0, HEADER_BYTES / 4)[WORD.crc] = crc32(bytes.subarray(CRC_END))
}

/** The stamp in the first bytes of an index file; undefined where they are none. */
export function stampOf(header: Uint8Array): Uint8Array | undefined {
  if (header.length < STAMP_AT + 8 || !equalBytes(header.subarray(0, MAGIC.length), MAGIC)) return undefined
  return header.subarray(STAMP_AT, STAMP_AT + 8)
}

/** How many bytes of a file `stampOf` wants. */
export const STAMP_END = STAMP_AT + 8

/**
 * The columns of an index file. Nothing is copied, and nothing is allocated but a few views.
 *
 * @param bytes - At offset 0 of their buffer.
 * @throws {CodedError} `INDEX_DAMAGED` unless all holds that the header of this module says.
 */
export function readColumns(bytes: Uint8Array): Columns {
  if (bytes.length < HEADER_BYTES || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) throw damaged('no header')
  const words = new Uint32Array(bytes.buffer, 0, HEADER_BYTES / 4)
  const word = (at: number): number => words[at] as number
  if (word(WORD.mark) !== MARK) throw damaged('another byte order')
  const extent: Extent = {
    entries: word(WORD.entries),
    directories: word(WORD.directories),
    nameBytes: word(WORD.nameBytes),
    dirNameBytes: word(WORD.dirNameBytes),
  }
  if (bytesFor(extent) !== bytes.length) throw damaged('its length')
  if (crc32(bytes.subarray(CRC_END)) !== word(WORD.crc)) throw damaged('its checksum')
  if (word(WORD.hasBase) > 1) throw damaged('its base')
  const columns = viewColumns(bytes, extent)
  checkDirectories(columns)
  checkNames(columns.nameEnd, columns.names)
  checkNames(columns.dirNameEnd.subarray(1), columns.dirNames)
  checkEntries(columns)
  return columns
}

/** @param what - What of the index is not as it should be. */
export function damaged(what: string): CodedError {
  return new CodedError('INDEX_DAMAGED', `The index of the work tree is damaged: ${what} makes no sense.`, {
    hint: '`weft switch <branch>` makes it anew. Files that you changed are left as they are.',
  })
}

/** Directories nest, and each has something in it. */
function checkDirectories({ entries, directories, parent, first, end, dirNameEnd }: Columns): void {
  if (directories === 0 || first[0] !== 0 || end[0] !== entries || parent[0] !== 0 || dirNameEnd[0] !== 0) {
    throw damaged('its top directory')
  }
  for (let k = 1; k < directories; k++) {
    const from = first[k] as number
    const to = end[k] as number
    const above = parent[k] as number
    if (from >= to || above >= k || from < (first[above] as number) || to > (end[above] as number)) {
      throw damaged('a directory')
    }
    // In this order, what came before either holds this one or is over.
    const before = k - 1
    if (before !== above && from < (end[before] as number)) throw damaged('a directory')
    for (let up = before; up !== above; up = parent[up] as number) {
      if (up === 0 || from < (end[up] as number)) throw damaged('a directory')
    }
  }
}

const SLASH = 0x2f
const DOT = 0x2e

/** Each name is one part of a path: no slash, no NUL, not empty, neither `.` nor `..`. */
function checkNames(nameEnd: Uint32Array, names: Uint8Array): void {
  if (names.includes(SLASH) || names.includes(0)) throw damaged('a name')
  let start = 0
  for (const end of nameEnd) {
    const length = end - start
    if (length <= 0 || end > names.length) throw damaged('a name')
    if (length <= 2 && names[start] === DOT && names[end - 1] === DOT) throw damaged('a name')
    start = end
  }
  if (start !== names.length) throw damaged('its names')
}

function checkEntries({ entries, size, mtime, ctime, inode, seq, stream, flags }: Columns): void {
  for (let i = 0; i < entries; i++) {
    const length = size[i] as number
    // Written so that NaN fails.
    const numbers = length >= 0 && length <= Number.MAX_SAFE_INTEGER && (seq[i] as number) >= 0
    if (!numbers || !Number.isInteger(length) || !Number.isInteger(seq[i]) || (seq[i] as number) >= SEQ_LIMIT) {
      throw damaged('an entry')
    }
    if ((stream[i] as number) >= STREAM_LIMIT || (flags[i] as number) > (CHUNKED | HAS_STAT)) throw damaged('an entry')
    if (!Number.isFinite((mtime[i] as number) + (ctime[i] as number) + (inode[i] as number))) throw damaged('a stat')
  }
}
