/**
 * Lseq: the 64-bit id of an entry, a Lamport counter and the stream that counted.
 *
 * Big-endian, so that byte order is causal order first and stream order second:
 *
 *     +----------------+--------------+
 *     |   seq (u40)    | stream (u24) |
 *     +----------------+--------------+
 *       5 bytes          3 bytes
 *
 * It is never one JS number (53 bits do not hold it); its two halves are. As text it is `stream-seq` in lower-case
 * hex, the form that RDX references have.
 * @see Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", 1978.
 * @module
 */

/** An entry's id. */
export interface Lseq {
  /** Lamport counter, `1 <= seq < 2^40`; 0 only in a genesis entry. */
  readonly seq: number
  /** Stream id, `0 <= stream < 2^24`; 0 is the repository itself. */
  readonly stream: number
}

/** Bytes of an encoded lseq. */
export const LSEQ_BYTES = 8

/** Seqs are below this: 2^40, or 35,000 changes a second for a year. */
export const SEQ_LIMIT = 2 ** 40

/** Stream ids are below this: 2^24. */
export const STREAM_LIMIT = 2 ** 24

/** Writes an lseq at `offset` and returns the offset behind it. */
export function writeLseq(out: Uint8Array, offset: number, seq: number, stream: number): number {
  const high = Math.floor(seq / 2 ** 32)
  const low = seq >>> 0
  out[offset] = high
  out[offset + 1] = low >>> 24
  out[offset + 2] = low >>> 16
  out[offset + 3] = low >>> 8
  out[offset + 4] = low
  out[offset + 5] = stream >>> 16
  out[offset + 6] = stream >>> 8
  out[offset + 7] = stream
  return offset + LSEQ_BYTES
}

/** The 8 bytes of an lseq. */
export function encodeLseq(seq: number, stream: number): Uint8Array {
  const out = new Uint8Array(LSEQ_BYTES)
  writeLseq(out, 0, seq, stream)
  return out
}

/** The seq half of the lseq at `offset`. */
export function readSeq(bytes: Uint8Array, offset: number): number {
  const low =
    ((bytes[offset + 1] as number) << 24) |
    ((bytes[offset + 2] as number) << 16) |
    ((bytes[offset + 3] as number) << 8) |
    (bytes[offset + 4] as number)
  return (bytes[offset] as number) * 2 ** 32 + (low >>> 0)
}

/** The stream half of the lseq at `offset`. */
export function readStream(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset + 5] as number) << 16) | ((bytes[offset + 6] as number) << 8) | (bytes[offset + 7] as number)
}

/** The lseq at `offset`; the caller has seen that 8 bytes are there. */
export function readLseq(bytes: Uint8Array, offset = 0): Lseq {
  return { seq: readSeq(bytes, offset), stream: readStream(bytes, offset) }
}

/** The lseq in which a full key ends. */
export function lseqOfKey(fullKey: Uint8Array): Lseq {
  return readLseq(fullKey, fullKey.length - LSEQ_BYTES)
}

/** Causal order, then stream: negative, zero or positive. */
export function compareLseq(a: Lseq, b: Lseq): number {
  return a.seq - b.seq || a.stream - b.stream
}

/** A stream id as six hex digits. */
export function formatStream(stream: number): string {
  return stream.toString(16).padStart(6, '0')
}

/** `stream-seq` in lower-case hex. */
export function formatLseq(seq: number, stream: number): string {
  return `${formatStream(stream)}-${seq.toString(16)}`
}

/** The lseq that `formatLseq` wrote; undefined for any other text. */
export function parseLseq(text: string): Lseq | undefined {
  const match = /^([0-9a-f]{6})-(0|[1-9a-f][0-9a-f]{0,9})$/.exec(text)
  if (match === null) return undefined
  return { stream: Number.parseInt(match[1] as string, 16), seq: Number.parseInt(match[2] as string, 16) }
}
