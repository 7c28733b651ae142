/**
 * Stamps: which revision of an element this is, and whose.
 *
 *     Stamp {rev, src} = ZipUint64Pair(ZigZag(rev), src)      rev of (-2^63, 2^63), src of [0, 2^64)
 *
 * A negative rev is a tombstone of |rev|. -2^63 is refused: no revision is that high, so there is none to tombstone.
 * In element, a stamp is a tiny record up to 9 bytes, else a short `t` record; {0,0} is `30`.
 *
 * As a value a stamp is two `bigint`s. Merges compare stamps in place instead, as unsigned 32-bit halves of |rev| and
 * src: a `bigint` takes memory and about 50 ns each, and a merge of two sets looks at hundreds of thousands.
 *
 * The rank of an element is (|rev|, is tombstone, value bytes, src), the higher wins; see element.ts.
 * @module
 */
import { CodedError } from '../base/error.js'
import { valueError } from './fault.js'
import { halfAt, NO_PAIR, splitPair, zigZag64, zipPair, zipUint64Pair } from './zip.js'

/** Revision and author. A negative `rev` is a tombstone of |rev|. */
export interface Stamp {
  /** In (-2^63, 2^63). */
  readonly rev: bigint
  /** In [0, 2^64). In weft the id of a stream. */
  readonly src: bigint
}

/** The stamp {0,0}, which text leaves out. */
export const ZERO_STAMP: Stamp = { rev: 0n, src: 0n }

/** Highest revision there is. */
export const REV_MAX = 2n ** 63n - 1n

/** Highest author there is. */
export const SRC_MAX = 2n ** 64n - 1n

/**
 * A stamp read in place: |rev| and src as unsigned halves. Made once and filled again for every element.
 *
 * Number fields under 2^31 are stored without a heap cell by V8, which most revisions and streams are.
 */
export class StampView {
  absHigh = 0
  absLow = 0
  dead = false
  srcHigh = 0
  srcLow = 0

  /**
   * Reads the stamp in `bytes[start, end)`.
   *
   * @returns The rule that the bytes break, `undefined` when they are a stamp. Never throws.
   */
  read(bytes: Uint8Array, start: number, end: number): string | undefined {
    if (end - start === 2) {
      // What most stamps are: two bytes, of which only a zero lil beside a big of one byte is overlong.
      const zig = bytes[start] as number
      const src = bytes[start + 1] as number
      if (src === 0) return 'the stamp is overlong'
      this.absHigh = 0
      this.absLow = (zig + 1) >>> 1
      this.dead = (zig & 1) === 1
      this.srcHigh = 0
      this.srcLow = src
      return undefined
    }
    const middle = splitPair(bytes, start, end)
    if (middle < 0) return middle === NO_PAIR ? `no stamp has ${end - start} bytes` : 'the stamp is overlong'
    const low = halfAt(bytes, start, middle)
    const high = halfAt(bytes, start + 4, middle)
    if (low === 0xffff_ffff && high === 0xffff_ffff) return 'the stamp is out of range: its revision is -2^63'
    this.dead = (low & 1) === 1
    // |rev| is half of the zigzag, rounded up.
    const carry = this.dead && low === 0xffff_ffff
    const roundLow = carry ? 0 : this.dead ? low + 1 : low
    const roundHigh = carry ? high + 1 : high
    this.absLow = ((roundLow >>> 1) | ((roundHigh & 1) << 31)) >>> 0
    this.absHigh = roundHigh >>> 1
    this.srcLow = halfAt(bytes, middle, end)
    this.srcHigh = halfAt(bytes, middle + 4, end)
    return undefined
  }

  /** Takes over another stamp. */
  copyFrom(other: StampView): void {
    this.absHigh = other.absHigh
    this.absLow = other.absLow
    this.dead = other.dead
    this.srcHigh = other.srcHigh
    this.srcLow = other.srcLow
  }

  /** |rev| as an exact integer. */
  get abs(): bigint {
    return (BigInt(this.absHigh) << 32n) | BigInt(this.absLow)
  }

  get src(): bigint {
    return (BigInt(this.srcHigh) << 32n) | BigInt(this.srcLow)
  }

  /** Whether this is {0,0}. */
  get isZero(): boolean {
    return (this.absHigh | this.absLow | this.srcHigh | this.srcLow) === 0
  }
}

/** Orders |rev|, then the tombstone above the living. The first half of a rank. */
export function compareRevs(a: StampView, b: StampView): number {
  return a.absHigh - b.absHigh || a.absLow - b.absLow || Number(a.dead) - Number(b.dead)
}

/** Orders src. */
export function compareSrcs(a: StampView, b: StampView): number {
  return a.srcHigh - b.srcHigh || a.srcLow - b.srcLow
}

/**
 * Bytes of a stamp, without the header of its record.
 *
 * @throws {CodedError} `RDX_VALUE` when rev or src is out of range.
 */
export function encodeStamp({ rev, src }: Stamp): Uint8Array {
  if (typeof rev !== 'bigint' || rev > REV_MAX || rev < -REV_MAX) {
    throw valueError(`A revision must be an integer between -2^63 and 2^63, not ${String(rev)}.`)
  }
  if (typeof src !== 'bigint' || src < 0n || src > SRC_MAX) {
    throw valueError(`An author must be an integer from 0 to 2^64 - 1, not ${String(src)}.`)
  }
  // Numbers take a third of the time of bigints.
  if (rev < 0x1_0000_0000n && rev > -0x1_0000_0000n && src < 0x1_0000_0000n) {
    const small = Number(rev)
    return zipPair(small < 0 ? -2 * small - 1 : 2 * small, Number(src))
  }
  return zipUint64Pair(zigZag64(rev), src)
}

/**
 * The revision after `abs`.
 *
 * @throws {CodedError} `CLOCK_EXHAUSTED` when `abs` is the last one.
 */
export function nextRev(abs: bigint): bigint {
  if (abs < REV_MAX) return abs + 1n
  throw new CodedError('CLOCK_EXHAUSTED', 'The value is at its last revision, so it cannot be changed any more.')
}
