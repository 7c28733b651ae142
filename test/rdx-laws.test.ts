/**
 * The laws of the replicated types, by property, for every type but lists: text and native round trips, deltas, the
 * semilattice of merge, differences between states of one history. And that merge agrees with its model byte for byte.
 *
 * 20,000 cases of each group of laws for each type; `WEFT_RDX_RUNS=<n>` makes it n.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { C } from '../src/rdx/causal-counter.js'
import type { Native } from '../src/rdx/native.js'
import type { Stamp } from '../src/rdx/stamp.js'
import type { AnyType, TypeLetter } from '../src/rdx/types.js'
import { typeOf } from '../src/rdx/types.js'
import { holds } from './support/property.js'
import { bareItem, itemOf, mapOf, modelMerge, pairsOf, setOf, sharesOf } from './support/rdx-model.js'
import * as draw from './support/rdx-tape.js'
import { type Tape, tapes } from './support/rdx-tape.js'

const RUNS = Number(process.env['WEFT_RDX_RUNS'] ?? 20_000)

type DrawStamp = (tape: Tape) => Stamp

/** How states and native values of a type are drawn. */
interface Subject {
  readonly letter: TypeLetter
  state(tape: Tape, stamp: DrawStamp): Uint8Array
  /** A value that a delta can reach from `now`. */
  native(tape: Tape, now?: unknown): unknown
}

function several<T>(tape: Tape, one: () => T, most = 6): T[] {
  return Array.from({ length: tape.below(most + 1) }, one)
}

function first(letter: TypeLetter, native: (tape: Tape) => Native): Subject {
  return { letter, native, state: (tape, stamp) => bareItem(itemOf(native(tape), stamp(tape))) }
}

const count = (tape: Tape): bigint => (tape.oneIn(16) ? 2n ** 63n + tape.uint64() / 2n : BigInt(1 + tape.below(9)))
const authorOf = (tape: Tape): bigint =>
  tape.oneIn(16) ? tape.pick([2n ** 64n - 1n, 2n ** 53n, 256n]) : BigInt(tape.below(5))
const pairs = (tape: Tape): [bigint, bigint][] => several(tape, () => [count(tape), authorOf(tape)])

const SUBJECTS: Subject[] = [
  first('F', draw.float),
  first('I', draw.integer),
  first('R', draw.ref),
  first('S', draw.text),
  first('T', draw.term),
  {
    letter: 'N',
    state: (tape) => pairsOf('U', pairs(tape)),
    native: (tape, now) => ((now as bigint | undefined) ?? 0n) + BigInt(tape.below(200)),
  },
  {
    letter: 'Z',
    state: (tape, stamp) => sharesOf(several(tape, () => itemOf(draw.integer(tape), stamp(tape)))),
    // Close to the present value: the share of one author has 64 bits, the sum may have more.
    native: (tape, now) => ((now as bigint | undefined) ?? 0n) / 4n + BigInt(tape.below(200)) - 100n,
  },
  {
    letter: 'E',
    state: (tape, stamp) => setOf(several(tape, () => itemOf(draw.native(tape), stamp(tape)))),
    native: (tape) => several(tape, () => draw.native(tape)),
  },
  {
    letter: 'M',
    state: (tape, stamp) => {
      const item = () => itemOf(draw.native(tape), stamp(tape))
      return mapOf(several(tape, () => [item(), item()], 4))
    },
    native: (tape) => several(tape, () => [draw.native(tape), draw.native(tape)]),
  },
  {
    letter: 'V',
    state: (tape) => pairsOf('V', pairs(tape)),
    native: (tape, now) => {
      const vector = new Map(now as Map<bigint, bigint> | undefined)
      for (const [more, src] of several(tape, () => [BigInt(tape.below(9)) + 1n, authorOf(tape)] as const)) {
        const seq = (vector.get(src) ?? 0n) + more
        if (seq < 2n ** 64n) vector.set(src, seq)
      }
      return vector
    },
  },
]

/** A merge that is not refused. */
function merged(type: AnyType, states: readonly Uint8Array[]): Uint8Array {
  const state = type.merge(states)
  assert.ok(state)
  return state
}

function same(found: Uint8Array | undefined, wished: Uint8Array, law: string): void {
  if (found === undefined || Buffer.compare(found, wished) !== 0) {
    assert.fail(`${law}: ${found && toHex(found).slice(0, 400)} is not ${toHex(wished).slice(0, 400)}`)
  }
}

/** A delta, or nothing where the share of an author or its revisions are used up. */
function delta(type: AnyType, state: Uint8Array, native: unknown, src: bigint): Uint8Array | undefined {
  try {
    return type.delta(state, native, src)
  } catch (error) {
    if (error instanceof CodedError && error.code === 'RDX_VALUE' && 'NZ'.includes(type.letter)) return undefined
    throw error
  }
}

function bytesLaws({ letter, state }: Subject, tape: Tape): void {
  const type = typeOf(letter) as AnyType
  const states = [state(tape, draw.stamp), state(tape, draw.stamp), state(tape, draw.stamp)] as const
  const [x, y, z] = states
  const before = states.map((one) => Uint8Array.from(one))

  assert.equal(type.check(x), undefined)
  const text = type.string(x) as string
  const parsed = type.parse(text)
  same(parsed, x, 'parse(string(x)) = x')
  assert.equal(type.string(parsed), text)

  const xy = merged(type, [x, y])
  same(xy, modelMerge(letter, [x, y]), 'merge is as its model')
  same(merged(type, [y, x]), xy, 'merge is commutative')
  same(merged(type, [x, x]), x, 'merge is idempotent')
  same(merged(type, [xy, y, x, xy]), xy, 'merge absorbs')
  same(merged(type, [x, type.empty()]), x, 'merge has an identity')
  const all = merged(type, [z, x, y])
  same(merged(type, [xy, z]), all, 'n-ary is binary, from the left')
  same(merged(type, [x, merged(type, [y, z])]), all, 'n-ary is binary, from the right')
  assert.ok(type.valid(all))

  assert.equal(type.compare(x, x), 0)
  assert.equal(Math.sign(type.compare(x, y)) + Math.sign(type.compare(y, x)), 0)
  // Who has seen nothing lacks everything.
  same(merged(type, [y, type.diff(x, new Uint8Array(0))]), xy, 'diff against nothing')
  same(merged(type, [x, type.diff(x, type.vector(y))]), x, 'diff is a part')
  states.forEach((one, i) => {
    same(one, before[i] as Uint8Array, 'no input is changed')
  })
}

function nativeLaws({ letter, state, native }: Subject, tape: Tape): void {
  const type = typeOf(letter) as AnyType
  const fresh = type.tlv(native(tape))
  // Sets and maps read in their own order.
  const value = type.plain(fresh)
  same(type.tlv(value), fresh, 'tlv(plain(x)) = x')
  assert.deepEqual(type.plain(type.tlv(value)), value)

  const x = state(tape, draw.lowStamp)
  const wished = type.plain(type.tlv(native(tape, undefined)))
  const reachable = 'NZV'.includes(letter) ? native(tape, type.plain(x)) : wished
  const change = delta(type, x, reachable, BigInt(tape.below(4)))
  if (change === undefined) return
  assert.ok(type.valid(change))
  assert.deepEqual(type.plain(merged(type, [x, change])), reachable)
  same(type.delta(merged(type, [x, change]), reachable, 1n), type.empty(), 'a delta to the present value is empty')
}

/** Up to eight writers who change and merge, so that merges are merged; then any two of them. */
function historyLaws({ letter, native }: Subject, tape: Tape): void {
  const type = typeOf(letter) as AnyType
  const writers = Array.from({ length: 2 + tape.below(7) }, () => type.empty())
  // A value of one element is one register: it is written from what one has seen, and revisions only grow.
  for (let step = tape.below(12); step > 0; step--) {
    const at = tape.below(writers.length)
    const now = writers[at] as Uint8Array
    if (tape.oneIn(2)) writers[at] = merged(type, [now, writers[tape.below(writers.length)] as Uint8Array])
    else {
      const change = delta(type, now, native(tape, type.plain(now)), BigInt(at + 1))
      if (change !== undefined) writers[at] = merged(type, [now, change])
    }
  }
  const [older, newer] = [writers[0], writers[1]] as [Uint8Array, Uint8Array]
  const patch = type.diff(newer, type.vector(older))
  assert.ok(type.valid(patch))
  same(
    merged(type, [older, patch]),
    merged(type, [older, newer]),
    'merge([old, diff(new, vector(old))]) = merge([old, new])',
  )
  same(merged(type, [patch, older]), merged(type, [newer, older]), 'a patch may come first')
}

describe('rdx: laws', () => {
  for (const subject of SUBJECTS) {
    const run = (laws: (subject: Subject, tape: Tape) => void, length: number): void =>
      holds(
        fc.property(tapes(length), (tape) => laws(subject, tape)),
        RUNS,
      )
    it(`${subject.letter}: bytes, text and merges`, () => run(bytesLaws, 160))
    it(`${subject.letter}: native values and deltas`, () => run(nativeLaws, 100))
    it(`${subject.letter}: histories of eight writers`, () => run(historyLaws, 120))
  }

  it('C: bytes, text, and deltas added in any order', () => {
    holds(
      fc.property(tapes(80), (tape) => {
        const states = several(tape, () => C.tlv(draw.integer(tape)), 4)
        const [x = C.empty(), y = C.empty()] = states
        const before = states.map(toHex)
        same(C.parse(C.string(x) as string), x, 'parse(string(x)) = x')
        same(C.parse(C.string(x, 'plain') as string), x, 'the plain text is read too')
        const wished = draw.integer(tape)
        assert.equal(C.plain(C.tlv(wished)), wished)
        assert.equal(C.plain(C.add(x, [C.delta(x, wished)])), wished)
        same(C.add(x, [...states].reverse()), C.add(x, states), 'deltas are added in any order')
        same(C.add(C.add(x, [y]), states), C.add(x, [...states, y]), 'one by one or at once')
        assert.deepEqual(C.merge(states), C.merge([...states].reverse()))
        assert.equal(C.merge([x, y]) === undefined, x.length > 0 && y.length > 0 && C.compare(x, y) !== 0)
        same(C.merge([x, x, C.empty()]), x, 'equal states are one')
        assert.deepEqual(states.map(toHex), before, 'an input was changed')
      }),
      RUNS,
    )
  })
})
