/**
 * Values of replicated types drawn from a tape of random bytes.
 *
 * fast-check makes the tape, and makes it shorter and smaller when a case fails; what is drawn from it follows. That keeps
 * failures small and costs a tenth of arbitraries nested for each part of a value. Past its end a tape gives zeros, for
 * which everything here has its simplest value.
 * @module
 */
import fc from 'fast-check'
import type { Native } from '../../src/rdx/native.js'
import type { Stamp } from '../../src/rdx/stamp.js'

/** A source of choices. */
export class Tape {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** What fast-check shows of a case that fails. */
  [fc.toStringMethod](): string {
    return `new Tape(Uint8Array.of(${this.#bytes.join(', ')}))`
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  /** A whole number in `[0, limit)`, with `limit` at most 256. */
  below(limit: number): number {
    return this.byte() % limit
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }

  /** Whether one of `n` cases has come up, `n` at most 256: never past the end of the tape. */
  oneIn(n: number): boolean {
    return this.below(n) === n - 1
  }

  uint64(): bigint {
    let value = 0n
    for (let i = 0; i < 8; i++) value = (value << 8n) | BigInt(this.byte())
    return value
  }
}

/** Tapes of up to `maxLength` bytes. */
export function tapes(maxLength = 160): fc.Arbitrary<Tape> {
  return fc.uint8Array({ maxLength, size: 'max' }).map((bytes) => new Tape(bytes))
}

const REV_MAX = 2n ** 63n - 1n
const INT_MAX = 2n ** 63n - 1n
const UINT_MAX = 2n ** 64n - 1n

/** Stamps: close to each other, so that they meet, and now and then an extreme. */
export function stamp(tape: Tape): Stamp {
  const src = tape.oneIn(24) ? tape.pick([UINT_MAX, 2n ** 32n, 256n, 2n ** 53n, 65536n]) : BigInt(tape.below(4))
  if (!tape.oneIn(24)) return { rev: BigInt(tape.below(9)) - 3n, src }
  return {
    rev: tape.pick([REV_MAX, -REV_MAX, 2n ** 31n, -(2n ** 31n), -(2n ** 32n), 2n ** 53n, 127n, 128n, -128n]),
    src,
  }
}

/** The same stamps without the last revisions, which no delta can follow. */
export function lowStamp(tape: Tape): Stamp {
  const { rev, src } = stamp(tape)
  return { rev: rev === REV_MAX || rev === -REV_MAX ? 1n : rev, src }
}

const INTEGERS = [INT_MAX, -INT_MAX - 1n, 255n, 256n, -128n, 2n ** 31n, 2n ** 52n, 2n ** 53n, -(2n ** 53n), 10n ** 15n]
const FLOATS = [0.5, -0, 1e-7, 1e21, 1e300, 5e-324, Number.MAX_VALUE, Infinity, -Infinity, 0.1, 123456789, -12.25]
const PIECES = [
  '',
  'a',
  '"',
  '\\',
  '\n',
  '\0',
  '\u007f',
  'é',
  '\u2028',
  '\ufeff',
  '\ufffd',
  '𝄞',
  '{',
  ',',
  '}',
  ' ',
  '\udbff\udfff',
]
const WORDS = ['a', 'null', 'inf', 't', 'N', 'x-1', '1', 'two words', '_a9', 'é', '"']

export function integer(tape: Tape): bigint {
  if (tape.oneIn(8)) return tape.oneIn(4) ? BigInt.asIntN(64, tape.uint64()) : tape.pick(INTEGERS)
  return BigInt(tape.below(16)) - (tape.oneIn(4) ? 8n : 0n)
}

export function float(tape: Tape): number {
  if (!tape.oneIn(3)) return tape.below(6)
  if (!tape.oneIn(3)) return tape.pick(FLOATS)
  const value = new Float64Array(BigUint64Array.of(tape.uint64()).buffer)[0] as number
  return Number.isNaN(value) ? 0 : value
}

export function text(tape: Tape): string {
  // Sizes at which the header of a record changes; the stamp is part of its body.
  if (tape.oneIn(64))
    return 'k'.repeat(tape.oneIn(16) ? 70_000 : tape.pick([9, 10, 252, 253, 254, 255, 256, 257])) + tape.pick(PIECES)
  let drawn = ''
  for (let left = tape.below(5); left > 0; left--) drawn += tape.oneIn(4) ? codePoint(tape) : tape.pick(PIECES)
  return drawn
}

/** Any char of Unicode: the halves of surrogate pairs are none. */
function codePoint(tape: Tape): string {
  const code = (tape.below(17) << 16) | (tape.byte() << 8) | tape.byte()
  return code >= 0xd800 && code <= 0xdfff ? '' : String.fromCodePoint(code)
}

export function term(tape: Tape): Native {
  const word = tape.oneIn(4) ? text(tape) : tape.pick(WORDS)
  return tape.oneIn(3) || word === '' ? null : { term: word }
}

export function ref(tape: Tape): Native {
  const part = (): bigint => (tape.oneIn(8) ? tape.uint64() : BigInt(tape.below(20)))
  return { seq: part(), stream: part() }
}

/** A value of any type. */
export function native(tape: Tape): Native {
  switch (tape.below(8)) {
    case 0:
    case 1:
    case 2:
      return integer(tape)
    case 3:
      return float(tape)
    case 4:
      return term(tape)
    case 5:
      return ref(tape)
    default:
      return text(tape)
  }
}
