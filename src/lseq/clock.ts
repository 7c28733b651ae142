/**
 * The Lamport clock of a store: a new seq is one more than the greatest seq seen anywhere in it.
 *
 * Not a wall clock, and no time is read here. A version takes a block of consecutive seqs, one for every line and
 * every other entry it adds, so the clock moves by blocks.
 * @see Lamport 1978, implementation rules IR1 and IR2.
 * @module
 */
import { CodedError } from '../base/error.js'
import { SEQ_LIMIT } from './lseq.js'

/**
 * How far above all that a version stands on its first seq may be: more lines than any history has, and a small part of
 * the seqs there are.
 */
export const CLOCK_SLACK = 2 ** 32

/**
 * Where the clock stands for a version that stands on nothing above `past`: where it stands in the store, but no further
 * ahead than others would believe. Whoever drove the store's clock up, a step at a time, has not driven up all clocks.
 */
export function clockOver(past: number, greatest: number): number {
  return Math.min(greatest, past + CLOCK_SLACK - 1)
}

/**
 * The first seq of a block of `count` behind `greatest`.
 *
 * @param greatest - Greatest seq seen so far, our own or another's; 0 in an empty store.
 * @param count - How many seqs are wanted, at least 1.
 * @returns `greatest + 1`; the block is `[first, first + count)`.
 * @throws {CodedError} `CLOCK_EXHAUSTED` if the block would pass 2^40: only a hostile or broken writer gets there.
 */
export function nextBlock(greatest: number, count: number): number {
  const first = greatest + 1
  if (first + count > SEQ_LIMIT) {
    throw new CodedError('CLOCK_EXHAUSTED', `the store's clock stands at ${greatest} and ${count} more do not fit.`, {
      hint: 'A seq this high was never counted honestly. Run `weft verify` to see who wrote it.',
    })
  }
  return first
}
