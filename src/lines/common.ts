/**
 * The lines that two contents share at their beginning and at their end, found by comparing memory.
 *
 * Most changes to a file touch a few lines of thousands. Native comparison runs at over 10 GB/s, some hundred times the
 * speed of splitting and hashing, so it goes first and leaves only the middle to be read as lines.
 *
 * A native compare says that two blocks differ but not where. So blocks of doubling size are compared until one differs,
 * and that one is halved until it is small.
 * @module
 */
import { Buffer } from 'node:buffer'
import { NEWLINE } from './split.js'

/** First block compared natively; small, because a change near the start should not cost more than it must. */
const FIRST_BLOCK = 256
const LAST_BLOCK = 1 << 20

/** A block of this size or less is compared in JS: a native call costs as much as 50 bytes do here. */
const SMALL_BLOCK = 32

/** Sizes in bytes of what two contents share: `prefix + suffix` is at most the length of either. */
export interface CommonEnds {
  /** Ends right behind a newline in both; or it is everything, when the contents are the same. */
  readonly prefix: number
  /** Begins at the start of a line in both. */
  readonly suffix: number
}

/**
 * Whole lines that `a` and `b` have in common at the start and, behind that, at the end.
 *
 * Both are the greatest possible, the prefix first: the result is what comparing line by line would give.
 */
export function commonEnds(a: Uint8Array, b: Uint8Array): CommonEnds {
  const left = asBuffer(a)
  const right = asBuffer(b)
  const shorter = Math.min(left.length, right.length)
  const same = commonBytes(left, 0, right, 0, shorter)
  if (same === left.length && same === right.length) return { prefix: same, suffix: 0 }
  const prefix = lineStartBefore(left, same)
  let suffix = commonBytesFromEnd(left, right, shorter - prefix)
  if (suffix > 0 && !(isLineStart(left, left.length - suffix) && isLineStart(right, right.length - suffix))) {
    const newline = left.indexOf(NEWLINE, left.length - suffix)
    suffix = newline < 0 ? 0 : left.length - newline - 1
  }
  return { prefix, suffix }
}

/** Number of equal bytes at `aStart` in `a` and at `bStart` in `b`, at most `limit`. */
export function commonBytes(a: Buffer, aStart: number, b: Buffer, bStart: number, limit: number): number {
  let from = 0
  const small = Math.min(limit, SMALL_BLOCK)
  while (from < small && a[aStart + from] === b[bStart + from]) from++
  if (from < small) return from
  let block = FIRST_BLOCK
  while (from < limit) {
    const to = Math.min(from + block, limit)
    if (a.compare(b, bStart + from, bStart + to, aStart + from, aStart + to) !== 0) {
      return firstDifference(a, aStart, b, bStart, from, to)
    }
    from = to
    block = Math.min(block * 2, LAST_BLOCK)
  }
  return limit
}

/** Where the blocks `[low, high)` behind the starts, known to differ, differ first. */
function firstDifference(a: Buffer, aStart: number, b: Buffer, bStart: number, low: number, high: number): number {
  while (high - low > SMALL_BLOCK) {
    const middle = (low + high) >>> 1
    if (a.compare(b, bStart + low, bStart + middle, aStart + low, aStart + middle) !== 0) high = middle
    else low = middle
  }
  while (a[aStart + low] === b[bStart + low]) low++
  return low
}

/** Number of equal bytes at the end of both, at most `limit`. */
function commonBytesFromEnd(a: Buffer, b: Buffer, limit: number): number {
  let from = 0
  let block = FIRST_BLOCK
  while (from < limit) {
    const to = Math.min(from + block, limit)
    if (differsFromEnd(a, b, from, to)) return firstDifferenceFromEnd(a, b, from, to)
    from = to
    block = Math.min(block * 2, LAST_BLOCK)
  }
  return limit
}

/** Like `firstDifference`, in distances from the ends. */
function firstDifferenceFromEnd(a: Buffer, b: Buffer, low: number, high: number): number {
  while (high - low > SMALL_BLOCK) {
    const middle = (low + high) >>> 1
    if (differsFromEnd(a, b, low, middle)) high = middle
    else low = middle
  }
  while (a[a.length - 1 - low] === b[b.length - 1 - low]) low++
  return low
}

function differsFromEnd(a: Buffer, b: Buffer, from: number, to: number): boolean {
  return a.compare(b, b.length - to, b.length - from, a.length - to, a.length - from) !== 0
}

function isLineStart(bytes: Buffer, at: number): boolean {
  return at === 0 || bytes[at - 1] === NEWLINE
}

/** Greatest start of a line that is not behind `at`. */
export function lineStartBefore(bytes: Buffer, at: number): number {
  return at === 0 ? 0 : bytes.lastIndexOf(NEWLINE, at - 1) + 1
}

/** The same memory as a `Buffer`. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
