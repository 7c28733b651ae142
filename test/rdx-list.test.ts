import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex, toLatin1 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { L } from '../src/rdx/list.js'
import { encodeNative, type Native } from '../src/rdx/native.js'
import { REV_MAX } from '../src/rdx/stamp.js'
import { V } from '../src/rdx/vector.js'
import { type Tape, tapes, wildItems, writtenHistory } from './support/list-history.js'
import { canonical, encode, type Item, join, shown, state, vectorOf } from './support/list-model.js'
import { holds } from './support/property.js'

/** How many times as many cases as usual: `WEFT_RDX_TIMES=50 node --import tsx --test test/rdx-list.test.ts`. */
const TIMES = Number(process.env['WEFT_RDX_TIMES'] ?? 1)

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', '')) as Uint8Array
const text = (tlv: Uint8Array): string => L.string(tlv) ?? 'no list'
const plainText = (tlv: Uint8Array): string => L.string(tlv, 'plain') ?? 'no list'

/** Checks a property of what is read off a tape of random numbers. */
function law(cases: number, length: number, check: (tape: Tape) => void): void {
  holds(fc.property(tapes(length), check), cases * TIMES)
}

/** Three states of whatever items, many of them with the same ids. */
const wildStates = (tape: Tape): Item[][] => [0, 1, 2].map(() => join(wildItems(tape)))

/** All orders of some things. */
function permutations<T>(all: readonly T[]): T[][] {
  if (all.length < 2) return [[...all]]
  return all.flatMap((one, i) => permutations(all.toSpliced(i, 1)).map((rest) => [one, ...rest]))
}

/** The things in an order read off the tape, some of them twice. */
function shuffled<T>(tape: Tape, all: readonly T[]): T[] {
  const rest = [...all, ...all.filter(() => tape.next(3) === 0)]
  const result: T[] = []
  while (rest.length > 0) result.push(...rest.splice(tape.next(rest.length), 1))
  return result
}

describe('rdx: list, the course vectors', () => {
  const inputs = [
    '690432020102 690432040104 690432060106 690432080108',
    '72020201 6904320a0218 72020801 6904320c020a',
    '72020a02 690432090118',
  ].map(hex)

  it('merge in every order and with duplicates to [1,2,3,4,5]', () => {
    const states = new Set<string>()
    for (const order of permutations([0, 1, 2, 0, 1, 2])) {
      const merged = L.merge(order.map((i) => inputs[i] as Uint8Array))
      assert.equal(plainText(merged), '[1,2,3,4,5]')
      states.add(toHex(merged))
    }
    for (const order of permutations([0, 1, 2])) {
      const merged = order.reduce((all, i) => L.merge([all, inputs[i] as Uint8Array]), L.empty())
      states.add(toHex(merged))
    }
    assert.equal(states.size, 1)
    assert.deepEqual(L.plain(hex([...states][0] as string)), [1n, 2n, 3n, 4n, 5n])
  })

  it('are written in canonical form, byte for byte', () => {
    const merged = (...chosen: number[]): string => toHex(L.merge(chosen.map((i) => inputs[i] as Uint8Array)))
    assert.equal(merged(0), '690432020102690432040104690432060106690432080108')
    // Skip 0, form 0, after {1,1}; skip 0, form 0, after {4,1}.
    assert.equal(merged(1), toHex(hex('6108 30 320201 30 320801  6904320a0218 6904320c020a')))
    // Skip 0, form 3, id {5,2}.
    assert.equal(merged(2), toHex(hex('6106 3103 320a02  690432090118')).replace('6106', '6105'))
    // Skip 1, form 1, id {5,2}; skip 0, form 0, after {1,1}.
    const links = '6109 3105 320a02 30 320201'
    const elements = '690432020102 690432090118 690432040104 690432060106 690432080108 6904320c020a'
    assert.equal(merged(0, 1, 2), toHex(hex(`${links} ${elements}`)))
  })

  it('read the ambiguous as an element of type R', () => {
    // The stamp {0,1} and the id 0-0, or the id {0x19,..}: both have these bytes.
    assert.equal(text(hex('7203 320201')), '[0-0{1,1}]')
    // An element cannot be stamped {0,0}, so this is the id {24,0}.
    assert.equal(text(hex('7201 30 690432020102')), '[1{1,1}<{24,0}]')
    assert.equal(text(hex('7200 690432020102 7200 690432040104')), '[2{2,1},1{1,1}<{0,0}]')
  })
})

describe('rdx: list, laws', () => {
  it('merge as the oracle does, whatever the items, in any order and number, by twos or at once', () => {
    law(8000, 120, (tape) => {
      const items = wildStates(tape)
      const states = items.map((list) => state(list))
      const wish = toHex(state(...items))
      const inputs = shuffled(tape, states)
      const before = inputs.map(toHex)
      assert.equal(toHex(L.merge(inputs)), wish)
      assert.equal(toHex(inputs.reduce((all, one) => L.merge([all, one]))), wish)
      assert.equal(toHex(inputs.reduceRight((all, one) => L.merge([one, all]))), wish)
      assert.deepEqual(inputs.map(toHex), before)
      for (const one of states) {
        assert.equal(L.check(one), undefined)
        assert.equal(toHex(L.merge([one])), toHex(one))
        assert.equal(toHex(L.merge([one, L.empty(), one])), toHex(one))
      }
    })
  })

  it('read and print as the oracle does, and texts are read back', () => {
    law(5000, 80, (tape) => {
      const items = join(wildItems(tape))
      const tlv = state(items)
      const exact = text(tlv)
      assert.equal(toHex(L.parse(exact)), toHex(tlv))
      assert.equal(text(L.parse(exact)), exact)
      assert.deepEqual(keysOf(L.plain(tlv)), shown(items))
      const plain = L.parse(plainText(tlv))
      assert.deepEqual(L.plain(plain), L.plain(tlv))
      assert.equal(plainText(plain), plainText(tlv))
      assert.deepEqual(L.plain(L.tlv(L.plain(tlv) as Native[])), L.plain(tlv))
    })
  })

  it('refuse the same items in any other order', () => {
    law(2000, 60, (tape) => {
      const items = canonical(join(wildItems(tape)))
      const order = [...items]
      for (let i = order.length - 1; i > 0; i--) {
        const j = tape.next(i + 1)
        ;[order[i], order[j]] = [order[j] as Item, order[i] as Item]
      }
      assert.equal(
        L.valid(encode(order)),
        order.every((item, i) => item === items[i]),
      )
      assert.equal(L.valid(encode([...items, ...items.slice(0, 1)])), items.length === 0)
    })
  })

  it('reach any value by a delta, and nothing when it is there', () => {
    law(2000, 200, (tape) => {
      const { replicas } = writtenHistory(tape, 20)
      // The last revision leaves room for none, so here there are only those of an honest history.
      const mine = replicas[0] as readonly Item[]
      const tlv = state(mine)
      const wanted = wish(tape, L.plain(tlv) as Native[])
      const src = BigInt(tape.next(3))
      const delta = L.delta(tlv, wanted, src)
      assert.equal(L.check(delta), undefined)
      const merged = L.merge([tlv, delta])
      assert.deepEqual(keysOf(L.plain(merged)), keysOf(wanted))
      assert.equal(toHex(L.merge([delta, tlv])), toHex(merged))
      assert.equal(L.delta(merged, wanted, src).length, 0)
      assert.equal(toHex(L.diff(merged, L.vector(tlv))), toHex(delta))
    })
  })

  it('reach any value by a delta from wild states too, unless the last revision is taken', () => {
    law(2000, 60, (tape) => {
      const items = join(wildItems(tape))
      const tlv = state(items)
      const wanted = wish(tape, L.plain(tlv) as Native[])
      try {
        const merged = L.merge([tlv, L.delta(tlv, wanted, 1n)])
        assert.deepEqual(keysOf(L.plain(merged)), keysOf(wanted))
      } catch (error) {
        assert.ok(error instanceof CodedError && error.code === 'CLOCK_EXHAUSTED')
        assert.ok(text(tlv).includes(String(REV_MAX)))
      }
    })
  })

  it('leave in one piece what each of 8 writers types from left to right at one place', () => {
    law(500, 60, (tape) => {
      const base = L.tlv(['(', ')'])
      const writers = Array.from({ length: 2 + tape.next(7) }, (_, writer) => {
        let list = base
        const run: string[] = []
        for (let pause = tape.next(4); pause >= 0; pause--) {
          for (let i = tape.next(3); i >= 0; i--) run.push(`${writer}:${run.length}`)
          list = L.merge([list, L.delta(list, ['(', ...run, ')'], BigInt(writer))])
        }
        return { list, run }
      })
      const merged = L.plain(L.merge(shuffled(tape, writers).map(({ list }) => list))) as string[]
      for (const { run } of writers) {
        const start = merged.indexOf(run[0] as string)
        assert.deepEqual(merged.slice(start, start + run.length), run)
      }
      assert.equal(
        merged.length,
        writers.reduce((sum, { run }) => sum + run.length, 2),
      )
    })
  })

  it('hold for patches of one history: in any order, duplicated, in groups, and by what a vector lacks', () => {
    law(3000, 240, (tape) => {
      const { patches, replicas } = writtenHistory(tape, 24)
      const all = toHex(state(...patches))
      const inputs = shuffled(tape, patches).map((patch) => state(patch))
      assert.equal(toHex(L.merge(inputs)), all)
      const half = tape.next(inputs.length + 1)
      const grouped = [L.merge(inputs.slice(half)), L.merge(inputs.slice(0, half))]
      assert.equal(toHex(L.merge(grouped)), all)
      const states = replicas.map((items) => state(items))
      assert.equal(toHex(L.merge(shuffled(tape, states))), toHex(state(...replicas)))
      const [mine, yours] = [tape.of(states), tape.of(states)]
      const vector = L.vector(mine)
      assert.equal(toHex(L.merge([mine, L.diff(yours, vector)])), toHex(L.merge([mine, yours])))
      assert.equal(L.diff(mine, vector).length, 0)
      const items = replicas[states.indexOf(mine)] as readonly Item[]
      assert.deepEqual(V.plain(vector), new Map([...vectorOf(items)].sort(([a], [b]) => Number(a - b))))
    })
  })
})

/** A list somewhat like another: some values are gone, some new, some moved. */
function wish(tape: Tape, now: readonly Native[]): Native[] {
  const wanted = now.filter(() => tape.next(4) > 0)
  for (let i = tape.next(4); i > 0; i--) wanted.splice(tape.next(wanted.length + 1), 0, tape.of(NATIVES))
  if (wanted.length > 1 && tape.next(3) === 0) wanted.push(...wanted.splice(tape.next(wanted.length), 1))
  return wanted
}

const NATIVES: readonly Native[] = [1n, 2n, 'a', '', null, 0.5, { term: 'a' }, { seq: 1n, stream: 2n }, -0, 1, 'new']

/** Natives as the oracle shows values. */
function keysOf(natives: readonly Native[] | undefined): string[] {
  return (natives ?? []).map((native) => {
    const { letter, value } = encodeNative(native)
    return letter + toLatin1(value)
  })
}
