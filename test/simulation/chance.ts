/**
 * Chance from one seed: Mulberry32, by Tommy Ettinger.
 * @module
 */

export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** A whole number in `[0, limit)`. */
  below = (limit: number): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  /** Once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0
  }

  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new RangeError('choices: expected some, got none')
    return choices[this.below(choices.length)] as T
  }

  /** In another order. */
  shuffle<T>(all: readonly T[]): T[] {
    const left = [...all]
    const out: T[] = []
    while (left.length > 0) out.push(...left.splice(this.below(left.length), 1))
    return out
  }

  /** So many random bytes. */
  bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => this.below(256))
}
