/**
 * Random lists: whatever items, and what writers make who type, delete and merge. All chance is read off a tape of numbers,
 * which fast-check makes, so that a failure shrinks: a tape that is shorter or lower makes less.
 * @module
 */
import fc from 'fast-check'
import { REV_MAX, SRC_MAX } from '../../src/rdx/stamp.js'
import { HUGE, type Item, join, START, type Stamp, VALUES } from './list-model.js'

/** Random numbers in a row; zeros when it is at its end. */
export class Tape {
  readonly #numbers: readonly number[]
  #at = 0

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  /** A whole number in `[0, limit)`. */
  next(limit: number): number {
    return (this.#numbers[this.#at++] ?? 0) % limit
  }

  of<T>(all: readonly T[]): T {
    return all[this.next(all.length)] as T
  }
}

/** Tapes of at most so many numbers. */
export function tapes(length: number): fc.Arbitrary<Tape> {
  return fc.array(fc.nat({ max: 0xffff }), { maxLength: length, size: 'max' }).map((numbers) => new Tape(numbers))
}

const REVS = [1n, 2n, 3n, 1n, 2n, 3n, 0n, 130n, REV_MAX]
const SRCS = [1n, 2n, 1n, 2n, 1n, 2n, 0n, SRC_MAX]

/** Whatever items: few ids, so that they meet; places that go round, and stamps that contradict each other. */
export function wildItems(tape: Tape): Item[] {
  return Array.from({ length: tape.next(11) }, () => {
    const id = wildId(tape)
    const after = [START, undefined, START, wildId(tape), wildId(tape), wildId(tape)][tape.next(6)]
    const sign = tape.next(3) === 0 ? -1n : 1n
    const stamp =
      tape.next(3) > 0 ? { rev: sign * id.rev, src: id.src } : { rev: sign * tape.of(REVS), src: tape.of(SRCS) }
    const [letter, value] = tape.next(1500) === 1499 ? HUGE : tape.of(VALUES)
    return { id, after, stamp, letter, value }
  })
}

function wildId(tape: Tape): Stamp {
  const [rev, src] = [tape.of(REVS), tape.of(SRCS)]
  return rev === 0n && src === 0n ? { rev: 1n, src } : { rev, src }
}

/** What some writers made of a list. */
export interface History {
  /** What each edit added, in the order of editing. */
  readonly patches: readonly (readonly Item[])[]
  /** What each writer has in the end. */
  readonly replicas: readonly (readonly Item[])[]
}

/** Lets up to 8 writers type runs, delete, write values in place and take over what others have. */
export function writtenHistory(tape: Tape, edits: number): History {
  const replicas: Item[][] = Array.from({ length: 1 + tape.next(8) }, () => [])
  const patches: Item[][] = []
  const count = 1 + tape.next(edits)
  for (let i = 0; i < count; i++) {
    const writer = tape.next(replicas.length)
    const mine = replicas[writer] as Item[]
    const action = tape.next(8)
    if (action < 2) {
      replicas[writer] = join(mine, tape.of(replicas))
      continue
    }
    const patch = edit(tape, mine, action, BigInt(writer + 1))
    if (patch.length === 0) continue
    patches.push(patch)
    replicas[writer] = join(mine, patch)
  }
  return { patches, replicas }
}

function edit(tape: Tape, items: readonly Item[], action: number, src: bigint): Item[] {
  let rev = items.reduce((high, { id, stamp }) => [high, id.rev, stamp.rev, -stamp.rev].reduce(max), 0n)
  const target = items.length > 0 ? tape.of(items) : undefined
  const [letter, value] = tape.of(VALUES)
  if (target !== undefined && action < 4) {
    return [{ id: target.id, after: undefined, stamp: { rev: -++rev, src }, letter: 'T', value: new Uint8Array(0) }]
  }
  if (target !== undefined && action === 4) {
    return [{ id: target.id, after: undefined, stamp: { rev: ++rev, src }, letter, value }]
  }
  let after = target === undefined || tape.next(6) === 0 ? START : target.id
  return Array.from({ length: 1 + tape.next(4) }, () => {
    const id = { rev: ++rev, src }
    const [letter, value] = tape.of(VALUES)
    const item: Item = { id, after, stamp: id, letter, value }
    after = id
    return item
  })
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)
