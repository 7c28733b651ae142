/**
 * Content-defined chunks: how content that is not text is cut, so that versions share what did not change.
 *
 * A chunk ends where the bytes before the cut look a certain way, so an insertion moves the cuts around it and no others.
 * This is FastCDC: a gear hash rolls over the bytes, one shift and one addition for each,
 *
 *     hash = (hash << 1) + gear[byte]        in 32 bits, so it depends on the last 32 bytes alone
 *
 * and a chunk ends behind the first byte after which the top bits of the hash are all zero: 16 bits before the normal
 * size, where cuts are to be rare, 12 bits behind it, where they are to come soon (normalized chunking, level 2).
 *
 *     0             4 KiB            16 KiB                    64 KiB
 *     |  never cut  |  16 zero bits  |      12 zero bits       |  always cut
 *
 * Random bytes give chunks of 18.4 KiB on average. The last chunk of a content may be of any size.
 *
 * What differs from the paper: the hash has 32 bits and not 64, because that is what JavaScript is fast with, and the
 * masks are plain top bits; the hash is warmed up on the 32 bytes before the first possible cut, so that no cut depends
 * on where its chunk began.
 *
 * **The cuts are part of the format**: a change of any number here makes every chunk differ from those in old stores.
 * @see Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for Data Deduplication", USENIX ATC
 *   2016, sections 3.3 to 3.5.
 * @module
 */
import { defaultCrypto as crypto } from '../crypto/default.js'

/** No chunk but the last is smaller. */
export const MIN_CHUNK = 4096
/** From here on cuts come easily. */
export const NORMAL_CHUNK = 16384
/** No chunk is larger. */
export const MAX_CHUNK = 65536

/** Shifting the hash right by this leaves the bits that must be zero: 16 before the normal size, 12 behind it. */
const STRICT_SHIFT = 16
const LOOSE_SHIFT = 20

/** Bytes that the hash depends on. */
const WINDOW = 32

let table: Int32Array | undefined

/** The gear table: entry `i` is the first 4 bytes, big-endian, of the SHA-256 of the one byte `i`. */
function gearTable(): Int32Array {
  if (table !== undefined) return table
  table = new Int32Array(256)
  for (let i = 0; i < 256; i++) {
    const digest = crypto.sha256(Uint8Array.of(i))
    table[i] = new DataView(digest.buffer, digest.byteOffset).getInt32(0)
  }
  return table
}

/**
 * Where the chunk that starts at `start` ends, given that no content comes behind `end`.
 *
 * One nanosecond a byte.
 */
function chunkEnd(bytes: Uint8Array, start: number, end: number): number {
  const gear = gearTable()
  const first = start + MIN_CHUNK - 1
  const last = Math.min(start + MAX_CHUNK, end)
  const normal = Math.min(start + NORMAL_CHUNK - 1, last)
  let hash = 0
  let at = first - WINDOW + 1
  if (first >= last) return last
  for (; at < first; at++) hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0
  for (; at < normal; at++) {
    hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0
    if (hash >>> STRICT_SHIFT === 0) return at + 1
  }
  for (; at < last; at++) {
    hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0
    if (hash >>> LOOSE_SHIFT === 0) return at + 1
  }
  return last
}

/** The end of each chunk of a content, ascending; the last is its length. Empty content has no chunks. */
export function* chunkBoundaries(bytes: Uint8Array): Generator<number, void, undefined> {
  for (let end = 0; end < bytes.length; ) {
    end = chunkEnd(bytes, end, bytes.length)
    yield end
  }
}

/**
 * Cuts content that comes in pieces. The chunks are those of `chunkBoundaries` over all pieces as one, however the
 * content was divided.
 */
export class Chunker {
  /** What came and is not cut yet: `[0, #length)`, less than MAX_CHUNK bytes between calls. */
  readonly #held = new Uint8Array(2 * MAX_CHUNK)
  #length = 0

  /** Takes a piece, which is read before the call returns, and returns the chunks that are complete now. */
  push(piece: Uint8Array): Uint8Array[] {
    const chunks: Uint8Array[] = []
    for (let taken = 0; taken < piece.length; ) {
      const part = piece.subarray(taken, taken + this.#held.length - this.#length)
      this.#held.set(part, this.#length)
      this.#length += part.length
      taken += part.length
      // A chunk may be cut off when no further byte can move its end.
      this.#cut(MAX_CHUNK, chunks)
    }
    return chunks
  }

  /** Ends the content and returns the chunks that are left. The next `push` begins another. */
  finish(): Uint8Array[] {
    const chunks: Uint8Array[] = []
    this.#cut(1, chunks)
    return chunks
  }

  #cut(least: number, chunks: Uint8Array[]): void {
    let start = 0
    while (this.#length - start >= least) {
      const end = chunkEnd(this.#held, start, this.#length)
      chunks.push(this.#held.slice(start, end))
      start = end
    }
    this.#held.copyWithin(0, start, this.#length)
    this.#length -= start
  }
}
