/**
 * Chance with a seed, which is printed, so that a failure can be seen again: `WEFT_TEST_SEED=<n> node --test ...`.
 * @module
 */

/** A source of random numbers. */
export interface Random {
  readonly seed: number
  /** A whole number in `[0, limit)`. */
  below(limit: number): number
}

/** Starts a source and prints its seed, with `name` to tell it from others. */
export function random(name: string): Random {
  const seed = Number(process.env['WEFT_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32)) >>> 0
  console.log(`# ${name}: WEFT_TEST_SEED=${seed}`)
  let state = seed
  // Mulberry32, by Tommy Ettinger: 32 bits of state, good enough to choose places with.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { seed, below: (limit) => Math.floor(next() * limit) }
}
