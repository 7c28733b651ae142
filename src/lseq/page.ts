/**
 * A page: many entries, sorted by full key, under one key of the store.
 *
 *     +------------+-----------+-----------+---------------+-------------------+--------------------+
 *     | format (1) | crc32 (4) | codec (1) | count, varint | key bytes, varint | body bytes, varint |
 *     +------------+-----------+-----------+---------------+-------------------+--------------------+
 *       1            of all      0 as it is                  of all keys         before compression
 *                    behind it   1 Brotli                    written out
 *     +-----------------------------------------+---------------------------+
 *     | length of first key, varint | first key | body (`columns.ts`)       |
 *     +-----------------------------------------+---------------------------+
 *
 * The first key stands outside the body, so that a scan knows what a page covers (the last key is the page's key in
 * the store) without inflating it. Big-endian, varints as in `varint.ts`.
 *
 * Measured on 177,000 runs and tombstones made from redis's history: 34.6 MB, of which 6.8 MB keys.
 *
 *     pages of 64 KiB, front-coded keys, Brotli 5      7.87 MB
 *     pages of 192 KiB                                 7.29       0.56 s to pack, 0.07 s to unpack
 *     pages of 1 MiB, Brotli 7                         6.49       0.85 s to pack, 0.06 s to unpack
 *     ... drop, own, middle as columns; lseq in planes 6.38       keys alone 617 KB
 *     ... lseq as a step from a near one               6.23       keys alone 465 KB
 *     ... records apart from texts                     6.15
 *     ... Brotli 9                                     6.07       2 s to pack
 *
 * One page more to inflate costs 1.7 ms, once; hence 1 MiB and not the deflated 64 KiB that the design began with.
 * @module
 */
import { promisify } from 'node:util'
import { brotliCompress, brotliCompressSync, constants, crc32 } from 'node:zlib'
import type { Entry, EntryBatch } from './batch.js'
import { type ColumnsHeader, corruptPage, decodeColumns, ENTRY_LEAST, encodeColumns, PAGE_LIMIT } from './columns.js'
import type { Coverage } from './coverage.js'
import { inflate } from './inflate.js'
import { decodeAll, decodeWanted } from './kernel.js'
import { LSEQ_BYTES } from './lseq.js'
import { ByteReader, ByteWriter } from './varint.js'

const FORMAT = 1
const RAW = 0
const BROTLI = 1
const CRC_END = 5

/** Least and greatest window of Brotli, as powers of two. */
const WINDOWS = [10, 24] as const

/** How a page is packed. */
export interface PageOptions {
  /** Brotli's quality, 0 to 11. Default 7; 9 saves another 1.5 % for twice the time, 11 takes forty times. */
  readonly quality?: number | undefined
}

const compress = promisify(brotliCompress)

/**
 * Packs entries, in ascending order of key, each key at least 8 bytes. Compression runs beside the main thread.
 *
 * @throws {RangeError} for no entries, unordered ones, or more than a page may hold.
 */
export async function encodePage(entries: readonly Entry[], options: PageOptions = {}): Promise<Uint8Array> {
  const body = encodeColumns(entries)
  return seal(entries, body, await compress(body, brotli(body, options)))
}

/** Like `encodePage`, on the calling thread. */
export function encodePageSync(entries: readonly Entry[], options: PageOptions = {}): Uint8Array {
  const body = encodeColumns(entries)
  return seal(entries, body, brotliCompressSync(body, brotli(body, options)))
}

function brotli(body: Uint8Array, options: PageOptions): { params: Record<number, number> } {
  // The window reaches over the whole page, less the 16 bytes that Brotli keeps for itself.
  const window = Math.min(Math.max(Math.ceil(Math.log2(body.length + 16)), WINDOWS[0]), WINDOWS[1])
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: options.quality ?? 7,
      [constants.BROTLI_PARAM_LGWIN]: window,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  }
}

/** Puts the header before the body, packed if that made it smaller. */
function seal(entries: readonly Entry[], body: Uint8Array, packed: Uint8Array): Uint8Array {
  const first = (entries[0] as Entry).key
  const smaller = packed.length < body.length
  const page = new ByteWriter(packed.length + first.length + 40)
  page.byte(FORMAT)
  for (let i = 1; i < CRC_END; i++) page.byte(0)
  page.byte(smaller ? BROTLI : RAW)
  page.varint(entries.length)
  page.varint(entries.reduce((sum, { key }) => sum + key.length, 0))
  page.varint(body.length)
  page.varint(first.length)
  page.bytes(first)
  page.bytes(smaller ? packed : body)
  const bytes = page.view()
  new DataView(bytes.buffer).setUint32(1, crc32(bytes.subarray(CRC_END)))
  return bytes
}

/** A page whose checksum holds, not inflated yet. */
export interface SealedPage {
  readonly count: number
  readonly firstKey: Uint8Array
  /** Bytes of the body before compression. */
  readonly bodyBytes: number
  /** @throws {CodedError} `PAGE_CORRUPT`: a checksum does not keep out those who can compute one. */
  unpack(): EntryBatch
  /** The entries that are wanted, and maybe others. Throws the same. */
  unpackFor(wanted: Coverage): EntryBatch
}

interface Header extends ColumnsHeader {
  readonly codec: number
  readonly bodyBytes: number
  readonly bodyStart: number
}

/**
 * Reads what stands before the body, and checks all of the page against its checksum.
 *
 * @param lastKey - What its last key must be, where that is known.
 * @throws {CodedError} `PAGE_CORRUPT`.
 */
export function openPage(page: Uint8Array, lastKey?: Uint8Array): SealedPage {
  const header = readHeader(page)
  if (header === undefined) throw corruptPage('its header makes no sense')
  if (new DataView(page.buffer, page.byteOffset).getUint32(1) !== crc32(page.subarray(CRC_END))) {
    throw corruptPage('its checksum does not hold')
  }
  const { codec, count, firstKey, keyBytes, bodyBytes, bodyStart } = header
  const packed = page.subarray(bodyStart)
  const columns = { count, keyBytes, firstKey, lastKey }
  const unpack = (): EntryBatch => {
    const body = inflated(header, packed)
    return decodeAll(body, columns) ?? decodeColumns(body, columns)
  }
  const unpackFor = (wanted: Coverage): EntryBatch =>
    (codec === BROTLI ? decodeWanted(packed, bodyBytes, columns, wanted) : undefined) ?? unpack()
  return { count, firstKey, bodyBytes, unpack, unpackFor }
}

/**
 * Unpacks a page. Total: any byte string gives entries in strictly ascending order, or the error.
 *
 * @throws {CodedError} `PAGE_CORRUPT`.
 */
export function decodePage(page: Uint8Array): EntryBatch {
  return openPage(page).unpack()
}

/** What a page that may be damaged says of its first key. */
export function peekFirstKey(page: Uint8Array): Uint8Array | undefined {
  return readHeader(page)?.firstKey
}

function readHeader(page: Uint8Array): Header | undefined {
  const reader = new ByteReader(page, CRC_END)
  const codec = reader.byte()
  const count = reader.varint()
  const keyBytes = reader.varint()
  const bodyBytes = reader.varint()
  const firstKey = reader.take(reader.varint())
  const possible =
    reader.ok &&
    page[0] === FORMAT &&
    (codec === RAW || codec === BROTLI) &&
    count > 0 &&
    count * ENTRY_LEAST <= bodyBytes &&
    bodyBytes <= PAGE_LIMIT &&
    keyBytes >= count * LSEQ_BYTES &&
    keyBytes <= PAGE_LIMIT &&
    firstKey.length >= LSEQ_BYTES
  return possible ? { codec, count, keyBytes, bodyBytes, firstKey, bodyStart: reader.at } : undefined
}

function inflated({ codec, bodyBytes }: Header, packed: Uint8Array): Uint8Array {
  let body = packed
  try {
    if (codec === BROTLI) body = inflate(packed, bodyBytes)
  } catch (error) {
    throw corruptPage('its body does not inflate', error)
  }
  if (body.length !== bodyBytes) throw corruptPage('its body has the wrong length')
  // It may be a `Buffer`, whose `subarray` takes three times as long.
  return new Uint8Array(body.buffer, body.byteOffset, body.length)
}
