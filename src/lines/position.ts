/**
 * Positions: the byte strings that put the runs of a file in order.
 *
 * A run's position is some digits and then the run's own lseq; the lines of a run sit at the run's position
 * followed by their index:
 *
 *     run     R            = digits | lseq(R)
 *     line i  R | index(i)
 *     run inserted between lines i and i+1 of R:
 *             R | index(i) | digits | lseq
 *
 * Plain byte comparison of positions is file order, at whatever depth, so a range scan reads a file in order and a
 * reader needs a stack of open runs only (weave.ts). As a position ends in its run's lseq it is unique without
 * coordination. Two writers who insert at one place choose the same digits, so their runs lie side by side, whole,
 * in lseq order, on every replica.
 *
 * Digits are the shortest bytes strictly between the two neighbours; where several are that short, those next to the
 * neighbour that was written last, since that one is the moving edge: appending or prepending for ever then costs one
 * byte in about 250 inserts. Digits never end in 0, and a line index never begins with 0, so that
 * `R | 0x00 | lseq` is free for the tombstones of R, right behind the run and before everything inserted in it.
 *
 * A line index is an order-preserving prefix-free integer:
 *
 *     0 .. 222            1 byte   01 .. df
 *     223 .. 4318         2 bytes  e0 00 .. ef ff
 *     4319 .. 528606      3 bytes  f0 00 00 .. f7 ff ff
 *
 * Similar in spirit to Logoot (Weiss, Urso, Molli, 2009) and LSEQ (Nédelec et al., 2013); what differs: a position
 * belongs to a run and not to a line, identity is at its end, and the digit is chosen by age and not by chance.
 * @module
 */
import { LSEQ_BYTES, writeLseq } from '../lseq/lseq.js'

const ONE_BYTE = 0xdf
const TWO_BYTES = ONE_BYTE + 0x1000

/** A run has fewer lines than this: what three index bytes can tell apart. */
export const RUN_LINES_LIMIT = TWO_BYTES + 0x80000

/** Which neighbour was written last. */
export type Newer = 'left' | 'right'

const START = new Uint8Array(0)

/**
 * The shortest digits `d` with `left < d | x < right` for every suffix `x`.
 *
 * @param left - Position of the line on the left; undefined at the start of the file.
 * @param right - Position of the line on the right (of a run's first line: the run's own position); undefined at the end.
 * @param newer - The neighbour to stay close to.
 * @throws {RangeError} unless `left < right`; neighbours handed over in the wrong order are a bug.
 */
export function digitsBetween(left: Uint8Array | undefined, right: Uint8Array | undefined, newer: Newer): Uint8Array {
  const a = left ?? START
  if (right === undefined) {
    if (a.length === 0) return Uint8Array.of(0x80)
    return above(a, 0, newer)
  }
  const b = right
  let k = 0
  while (k < a.length && k < b.length && a[k] === b[k]) k++
  if (k === b.length || (k < a.length && (a[k] as number) > (b[k] as number))) {
    throw new RangeError('digitsBetween: expected left < right, got neighbours in the wrong order')
  }
  const low = k < a.length ? (a[k] as number) : 0
  const high = b[k] as number
  if (high - low > 1) return digit(b, k, newer === 'left' ? low + 1 : high - 1)
  // No digit fits here: go on behind the left neighbour, or before the right one, whichever is shorter.
  const upper = k < a.length ? above(a, k + 1, newer) : undefined
  const lower = below(b, k < a.length ? k + 1 : k, newer)
  if (upper === undefined && lower === undefined) {
    throw new RangeError('digitsBetween: expected neighbours with room between them, got a line and zeros behind it')
  }
  if (upper === undefined || lower === undefined) return (upper ?? lower) as Uint8Array
  if (upper.length !== lower.length) return upper.length < lower.length ? upper : lower
  return newer === 'left' ? upper : lower
}

/** `bytes[0, at)` and one more digit. */
function digit(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const out = new Uint8Array(at + 1)
  out.set(bytes.subarray(0, at))
  out[at] = value
  return out
}

/** The shortest digits that keep `a[0, from)` and are above `a`. */
function above(a: Uint8Array, from: number, newer: Newer): Uint8Array {
  let at = from
  while (at < a.length && a[at] === 0xff) at++
  return digit(a, at, newer === 'left' ? (a[at] ?? 0) + 1 : 0xff)
}

/**
 * The shortest digits that keep `b[0, from)` and are below `b`. Undefined where `b` has no byte above 0 from there on: a
 * line of the run that `b` is in ends in its index, and nothing that keeps the whole index sorts before it.
 */
function below(b: Uint8Array, from: number, newer: Newer): Uint8Array | undefined {
  let at = from
  while (b[at] === 0) at++
  const high = b[at]
  if (high === undefined) return undefined
  if (high > 1) return digit(b, at, newer === 'left' ? 1 : high - 1)
  const out = new Uint8Array(at + 2)
  out.set(b.subarray(0, at))
  out[at + 1] = newer === 'left' ? 1 : 0xff
  return out
}

/** Bytes of the index of line `i`. */
function indexLength(i: number): number {
  return i < ONE_BYTE ? 1 : i < TWO_BYTES ? 2 : 3
}

function writeIndex(out: Uint8Array, offset: number, i: number): void {
  if (i < ONE_BYTE) {
    out[offset] = i + 1
  } else if (i < TWO_BYTES) {
    const n = i - ONE_BYTE
    out[offset] = 0xe0 | (n >> 8)
    out[offset + 1] = n
  } else {
    const n = i - TWO_BYTES
    out[offset] = 0xf0 | (n >> 16)
    out[offset + 1] = n >> 8
    out[offset + 2] = n
  }
}

/** The position of line `i` of the run at `run`. */
export function linePosition(run: Uint8Array, i: number): Uint8Array {
  if (i < 0 || i >= RUN_LINES_LIMIT) throw new RangeError(`line index: expected 0 to ${RUN_LINES_LIMIT - 1}, got ${i}`)
  const out = new Uint8Array(run.length + indexLength(i))
  out.set(run)
  writeIndex(out, run.length, i)
  return out
}

/**
 * How many lines of the open run `run` (length in bytes) come before `position`, which lies inside it: 1 + the index
 * that follows the run's own position. The answer may be beyond the run's last line, where digits were cut short.
 */
export function linesBefore(position: Uint8Array, run: number): number {
  const first = position[run] ?? 0
  const second = position[run + 1] ?? 0
  if (first <= ONE_BYTE) return first
  if (first < 0xf0) return (((first & 0x0f) << 8) | second) + ONE_BYTE + 1
  if (first > 0xf7) return RUN_LINES_LIMIT
  return (((first & 0x07) << 16) | (second << 8) | (position[run + 2] ?? 0)) + TWO_BYTES + 1
}

/** A run's position: digits between its neighbours, then its lseq. */
export function runPosition(
  left: Uint8Array | undefined,
  right: Uint8Array | undefined,
  newer: Newer,
  seq: number,
  stream: number,
): Uint8Array {
  const digits = digitsBetween(left, right, newer)
  const out = new Uint8Array(digits.length + LSEQ_BYTES)
  out.set(digits)
  writeLseq(out, digits.length, seq, stream)
  return out
}
