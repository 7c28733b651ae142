import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8, fromHex, toHex } from '../src/base/bytes.js'
import { L } from '../src/rdx/list.js'
import { checkList } from '../src/rdx/list-check.js'
import { diffItems } from '../src/rdx/list-diff.js'
import { IdTable } from '../src/rdx/list-ids.js'
import type { Native } from '../src/rdx/native.js'
import { SRC_MAX, StampView } from '../src/rdx/stamp.js'
import { V } from '../src/rdx/vector.js'
import { tapes, wildItems } from './support/list-history.js'
import { elementBytes, encode, type Item, START, type Stamp, state } from './support/list-model.js'
import { anyBytes, holds } from './support/property.js'

/** How many times as many cases as usual: `WEFT_RDX_TIMES=50 node --import tsx --test test/rdx-list-form.test.ts`. */
const TIMES = Number(process.env['WEFT_RDX_TIMES'] ?? 1)

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', '')) as Uint8Array
const at = (rev: number | bigint, src: number | bigint): Stamp => ({ rev: BigInt(rev), src: BigInt(src) })

/** An element that has been inserted and no more. */
const inserted = (id: Stamp, after: Stamp | undefined, text = 'x'): Item => ({
  id,
  after,
  stamp: id,
  letter: 'S',
  value: encodeUtf8(text),
})

describe('rdx: list, bytes that are none', () => {
  const one = '690432020102'
  const two = '690432040104'
  const faults: [name: string, bytes: string, offset: number, rule: RegExp][] = [
    ['a bad first byte', `${one} 00`, 6, /^no record begins with byte 0x00/],
    ['a record cut off', `${one} 6904 3204`, 6, /^a record of 4 bytes is cut off after 2$/],
    ['a letter that no element has', 'z', 0, /./],
    ['a nested list', `${one} 6c00`, 6, /^no element of a list has the type "L"$/],
    ['a tiny record', '30', 0, /^no record begins with byte 0x30/],
    ['an element without a stamp', '6900', 2, /^the element has no stamp$/],
    ['an overlong value', '6905 32020102 00', 5, /^the number is overlong/],
    ['the id {0,0}', '6902 30 02', 0, /^\{0,0\} is the start of the list, no id$/],
    ['an id twice', `${one} ${one}`, 6, /^an element with this id stands before$/],
    ['an empty block', `6100 ${one}`, 0, /^a block without links must be left out$/],
    ['a block cut off', '6105 30', 0, /cut off/],
    ['a block behind an element', `${one} 6104 30 320201 ${two}`, 6, /^no element of a list has the type "A"$/],
    ['a link cut off', `6102 30 32 ${one}`, 3, /^the link is cut off$/],
    ['a link without its stamp', `6101 30 ${one}`, 3, /^the link is cut off$/],
    ['a link that begins with a letter', `6101 61 ${one}`, 2, /^no part of a link begins with this byte$/],
    ['an overlong skip', `6105 31 00 320802 ${one}`, 3, /^the number is overlong/],
    [
      'a skip of 9 bytes',
      `610e 39 010101010101010101 32 0802 30 ${one}`,
      3,
      /^a number has at most 8 bytes, this one 9$/,
    ],
    ['a link about nothing', `6105 3104 320802 ${one}`, 2, /^a link is about element 1, and the last one is 0$/],
    [
      'a link far behind the end',
      `610c 38 ffffffffffffffff 320802 ${one}`,
      2,
      /^the link is cut off$|^a link is about/,
    ],
    ['an overlong stamp in a link', `6104 30 320100 ${one}`, 4, /^the stamp is overlong$/],
    ['a stamp of a length that no pair has', `6109 30 37 00000000000000 ${one}`, 4, /^no stamp has 7 bytes$/],
    ['a long header on a short stamp', `6105 30 74020802 ${one}`, 3, /^a stamp of 2 bytes must be tiny$/],
    ['a tombstone for a place', `6104 30 320102 ${one}`, 4, /^an id has no negative revision$/],
    ['a tombstone for an id', `6105 3101 320102 ${one}`, 5, /^an id has no negative revision$/],
    ['the start for an id', `6103 3101 30 ${one}`, 2, /^\{0,0\} is the start of the list, no id$/],
    ['a link to the element before', `6105 3104 320201 ${one} ${two}`, 2, /^the link names the element before/],
    ['a link to the start for the first', `6102 30 30 ${one}`, 2, /^the link names the element before/],
    ['a link to the own stamp', `6105 3101 320201 ${one}`, 2, /^the link names the element's own stamp as its id$/],
    ['siblings, the older first', `6103 3104 30 ${one} ${two}`, 11, /^of elements after the same one, the newest/],
    ['elements adrift in the wrong order', `6108 30 320802 30 320802 ${two} ${one}`, 16, /^elements adrift are sorted/],
    ['a reached element behind one adrift', `6106 30 320802 30 30 ${two} ${one}`, 14, /hangs together with the start/],
    // 3 and 2 are both after 1; 4 is after 3, and 3 is not on the way back from 2.
    [
      'an element behind the branch that it is on',
      `6109 3108 320201 30 320601 ${one} 690432060106 ${two} 690432080108`,
      29,
      /^the element does not follow what it was inserted after$/,
    ],
    [
      'the same, of a branch that was longer',
      `6109 310c 320201 30 320801 ${one} 690432060106 690432080108 ${two} 6904320a010a`,
      35,
      /^the element does not follow what it was inserted after$/,
    ],
    ['an id without an element behind it', `${one} 72020201`, 6, /^no element follows the id$/],
    ['two ids before an element', `72020201 72020201 ${one}`, 6, /^no stamp begins with byte 0x02$/],
    ['an id before what is no element', `72020201 6c00`, 4, /^no element of a list has the type "L"$/],
    ['an id cut off', '720202', 0, /cut off/],
    ['an id before a record cut off', '72020201 6904', 4, /cut off/],
    ['a tombstone for an older place', `72020101 ${one}`, 2, /./],
    ['a tombstone of the start', '7200 6904 32090118', 2, /^\{0,0\} is the start of the list, no id$/],
    ['a bare id and a block', `6104 30 320802 72020201 ${one}`, 8, /^no stamp begins with byte 0x02$/],
  ]
  for (const [name, bytes, offset, rule] of faults) {
    it(`are told by offset and rule: ${name}`, () => {
      const tlv = bytes === 'z' ? hex('7a00') : hex(bytes)
      const fault = L.check(tlv)
      assert.ok(fault !== undefined, 'it is a list')
      assert.match(fault.rule, rule)
      assert.equal(fault.offset, offset)
      assert.equal(L.valid(tlv), false)
      assert.equal(L.string(tlv), undefined)
      assert.equal(L.plain(tlv), undefined)
      assert.equal(L.merge([tlv, hex(one)]).length, 6)
      assert.equal(L.diff(tlv, L.vector(tlv)).length, 0)
      assert.deepEqual(L.plain(L.delta(tlv, [1n])), [1n])
    })
  }
})

describe('rdx: list, any bytes', () => {
  const bytes = fc.oneof(
    anyBytes(40),
    // Lists, of which a few bytes are others, gone or there twice.
    fc
      .tuple(tapes(60), fc.array(fc.tuple(fc.nat(200), fc.nat(255), fc.nat(4)), { maxLength: 3 }))
      .map(([tape, changes]) => {
        const list = [...state(wildItems(tape))]
        for (const [place, byte, kind] of changes) {
          if (kind === 0) list.splice(place % (list.length + 1), 0, byte)
          else if (kind === 1) list.splice(place % (list.length + 1), 1)
          else if (kind === 2) list.splice(place, 0, ...list.slice(place, place + byte))
          else if (list.length > 0)
            list[place % list.length] = kind === 3 ? byte : (list[place % list.length] as number) ^ 1
        }
        return Uint8Array.from(list)
      }),
  )

  it('are a list or not, and nothing but parse, tlv and delta ever throws', () => {
    holds(
      fc.property(bytes, bytes, (a, b) => {
        const fault = L.check(a)
        assert.equal(L.valid(a), fault === undefined)
        if (fault !== undefined) assert.ok(fault.offset >= 0 && fault.offset <= a.length)
        const merged = L.merge([a, b])
        assert.equal(L.check(merged), undefined)
        assert.equal(toHex(L.merge([merged, b, a])), toHex(merged))
        assert.equal(toHex(L.merge([b, a])), toHex(merged))
        if (fault !== undefined) assert.equal(toHex(merged), toHex(L.merge([b])))
        // One state has one encoding, but for the older form.
        if (fault === undefined) assert.ok(checkList(a).old || toHex(L.merge([a])) === toHex(a))
        const text = L.string(a)
        assert.equal(text === undefined, fault !== undefined)
        assert.equal(L.plain(a) === undefined, fault !== undefined)
        if (text !== undefined) assert.equal(toHex(L.parse(text)), toHex(L.merge([a])))
        assert.equal(L.check(L.diff(a, L.vector(b))), undefined)
        assert.equal(L.compare(a, b) === 0, toHex(a) === toHex(b))
        assert.ok(Math.sign(L.compare(a, b)) + Math.sign(L.compare(b, a)) === 0)
      }),
      3000 * TIMES,
    )
  })
})

describe('rdx: list, text', () => {
  const refusals: [text: string, column: number, problem: RegExp][] = [
    ['', 1, /^expected \[, found the end$/],
    ['[1', 3, /^expected , or \], found the end$/],
    ['[1,]', 4, /^expected a value, found \]$/],
    ['[1] 2', 5, /^expected the end, found 2$/],
    ['[1{0,0}]', 2, /^\{0,0\} is the start of the list, no id$/],
    ['[1{1,1}@{0,0}]', 2, /^\{0,0\} is the start of the list, no id$/],
    ['[1{1,1}@{-2,1}]', 9, /out of range/],
    ['[1{1,1}<{-2,1}]', 9, /out of range/],
    ['[1{1,1}<]', 9, /^expected \{number,number\}, found \]$/],
    ['[1{1,1}, 2{-1,1}]', 10, /^an item with this id stands before$/],
    ['[1{9223372036854775807,1}, 2]', 28, /^no revision is left for an item without a stamp$/],
    ['[[1]]', 2, /^expected a value, found \[$/],
  ]
  for (const [text, column, problem] of refusals) {
    it(`is refused with line and column: ${text}`, () => {
      assert.throws(
        () => L.parse(text),
        (error: { code?: string; data?: Record<string, unknown> }) => {
          assert.equal(error.code, 'RDX_TEXT')
          assert.deepEqual([error.data?.['line'], error.data?.['column']], [1, column])
          assert.match(String(error.data?.['rule']), problem)
          return true
        },
      )
    })
  }

  it('may leave out stamps, order and places that follow', () => {
    const exact = (text: string): string | undefined => L.string(L.parse(text))
    assert.equal(exact(' [ 1 , "a"{7,5}, t"b c" ] '), '[1{1,0},"a"{7,5},t"b c"{8,5}]')
    assert.equal(exact('[2{2,1}<{1,1},1{1,1}<{0,0}]'), '[1{1,1},2{2,1}]')
    assert.equal(exact('[1 @ {3,1} < ?]'), '[1@{3,1}<?]')
    assert.equal(exact('[]'), '[]')
  })

  it('shows what is deleted, written in place and adrift in the exact form only', () => {
    const text = '[1{1,1},null{-5,2}@{2,1},9{6,2}@{3,1},4{4,1}<{9,9},null{-7,1}@{8,1}<?]'
    assert.equal(L.string(L.parse(text)), text)
    assert.equal(L.string(L.parse(text), 'plain'), '[1,9]')
  })
})

describe('rdx: list, native values', () => {
  it('refuse what no element holds', () => {
    for (const wrong of [Number.NaN, 2n ** 63n, '\ud800', [], undefined, {}]) {
      assert.throws(() => L.tlv([wrong as Native]), { code: 'RDX_VALUE' })
    }
    assert.throws(() => L.tlv('ab' as unknown as Native[]), { code: 'RDX_VALUE' })
    assert.throws(() => L.tlv(null as unknown as Native[]), { code: 'RDX_VALUE' })
    assert.throws(() => L.delta(L.empty(), ['a'], -1n), { code: 'RDX_VALUE' })
    assert.throws(() => L.delta(L.empty(), ['a'], SRC_MAX + 1n), { code: 'RDX_VALUE' })
  })

  it('cannot change a list that has the last revision', () => {
    const last = L.parse('[1{9223372036854775807,1}]')
    assert.throws(() => L.delta(last, []), { code: 'CLOCK_EXHAUSTED' })
    assert.throws(() => L.delta(last, [1n, 2n]), { code: 'CLOCK_EXHAUSTED' })
    assert.equal(L.delta(last, [1n]).length, 0)
  })
})

describe('rdx: list, how it merges', () => {
  const show = (...lists: Uint8Array[]): string | undefined => L.string(L.merge(lists), 'plain')
  const items = (...list: Item[]): Uint8Array => state(list)

  it('keeps what is adrift, and shows it when its place arrives', () => {
    const base = L.parse('[1{1,1},2{2,1}]')
    const patch = L.parse('[7{5,2}<{4,1},8{6,2}]')
    const place = L.parse('[3{4,1}<{2,1}]')
    assert.equal(show(base, patch), '[1,2]')
    assert.equal(show(patch, place), '[]')
    assert.equal(show(patch, place, base), '[1,2,3,7,8]')
    assert.equal(show(L.merge([patch, base]), place), '[1,2,3,7,8]')
  })

  it('hides an element whose tombstone came first, and keeps its place', () => {
    const patch = L.parse('[null{-9,2}@{2,1}<?]')
    assert.equal(show(patch, L.parse('[1{1,1},2{2,1},3{3,1}]')), '[1,3]')
    assert.equal(show(patch, L.parse('[1{1,1},2{2,1},3{3,1}]'), L.parse('[5{4,1}<{2,1}]')), '[1,5,3]')
  })

  it('takes the higher rank of two revisions, the tombstone where they tie', () => {
    const base = L.parse('[1{1,1}]')
    const revision = (text: string): Uint8Array => L.parse(`[${text}@{1,1}<?]`)
    assert.equal(show(base, revision('5{2,1}'), revision('7{2,2}')), '[7]')
    assert.equal(show(base, revision('5{3,1}'), revision('7{2,2}')), '[5]')
    assert.equal(show(base, revision('7{2,2}'), revision('5{-2,1}')), '[]')
    assert.equal(show(base, revision('7{3,2}'), revision('5{-2,1}')), '[7]')
    assert.equal(show(base, L.parse('[2{1,1}]')), '[2]')
  })

  it('takes the older of two places', () => {
    const one = L.parse('[1{1,1},2{2,1},3{3,1}]')
    assert.equal(show(one, L.parse('[3{3,1}<{1,1}]')), '[1,3,2]')
    assert.equal(show(L.parse('[3{3,1}<{1,1}]'), one), '[1,3,2]')
    assert.equal(show(one, L.parse('[3{3,1}<{9,9}]')), '[1,2,3]')
  })

  it('does not show what is after itself, and shows the rest', () => {
    const round = items(inserted(at(2, 1), at(4, 1)), inserted(at(4, 1), at(2, 1)), inserted(at(6, 6), at(6, 6)))
    assert.equal(L.check(round), undefined)
    assert.equal(show(round, L.parse('[1{1,1}]')), '[1]')
    assert.equal(L.string(round), '["x"{2,1}<{4,1},"x"{4,1},"x"{6,6}<{6,6}]')
    // An older place opens the circle.
    assert.equal(show(round, L.parse('[1{1,1},"y"{2,1}]')), '[1,"y","x"]')
  })

  it('does not mix what two type from left to right at one place', () => {
    const base = L.parse('["("{1,1},")"{2,1}]')
    const typed = (src: number, text: string): Uint8Array =>
      [...text].reduce((list, _, i) => {
        const shown = ['(', ...text.slice(0, i + 1), ')']
        return L.merge([list, L.delta(list, shown, BigInt(src))])
      }, base)
    assert.deepEqual(L.plain(L.merge([typed(2, 'abc'), typed(3, 'xyz')])), [...'(xyzabc)'])
    assert.deepEqual(L.plain(L.merge([typed(2, 'abc'), typed(3, 'xyz'), typed(4, '123')])), [...'(123xyzabc)'])
  })

  it('mixes what two type from right to left at one place, each in order', () => {
    const base = L.parse('["("{1,1},")"{2,1}]')
    const typed = (src: number, text: string): Uint8Array =>
      [...text].reduceRight((list, _, i) => {
        return L.merge([list, L.delta(list, ['(', ...text.slice(i), ')'], BigInt(src))])
      }, base)
    assert.deepEqual(L.plain(L.merge([typed(2, 'abc'), typed(3, 'xyz')])), [...'(xaybzc)'])
  })

  it('shows a move as a deletion and an insertion', () => {
    const base = L.parse('[1{1,1},2{2,1},3{3,1}]')
    const delta = L.delta(base, [2n, 3n, 1n], 7n)
    assert.equal(L.string(delta), '[null{-4,7}@{1,1}<?,1{5,7}<{3,1}]')
    assert.equal(show(base, delta), '[2,3,1]')
  })

  it('leaves alone what is adrift, and takes no id that it waits for', () => {
    const list = L.parse('[1{1,1},7{2,2}<{3,1}]')
    assert.equal(L.delta(list, [1n], 1n).length, 0)
    assert.equal(L.delta(L.parse('[1{1,1},2{-2,1},7{2,2}<{9,1}]'), [1n], 1n).length, 0)
    assert.equal(show(list, L.delta(list, [1n, 5n], 1n)), '[1,5]')
    assert.equal(L.string(L.delta(list, [1n, 5n], 1n)), '[5{4,1}<{1,1}]')
    assert.equal(L.string(L.delta(L.parse('[5{1,1}@{4,1}]'), [5n, 7n], 1n)), '[7{5,1}<{4,1}]')
  })

  it('sends no more than what is not covered', () => {
    const old = L.parse('[1{1,1},2{2,1}]')
    const fresh = L.merge([old, L.delta(old, [1n, 7n], 2n)])
    assert.equal(L.string(L.diff(fresh, L.vector(old))), '[null{-4,2}@{2,1}<?,7{3,2}<{1,1}]')
    assert.equal(toHex(L.diff(fresh, L.empty())), toHex(fresh))
    // Who has the tombstone and not its target has not seen the target.
    const tombstone = L.parse('[null{-9,2}@{2,1}<?]')
    assert.equal(V.string(L.vector(tombstone)), 'V<{9,2}>')
    assert.equal(L.string(L.diff(old, L.vector(tombstone))), '[1{1,1},2{2,1}]')
  })
})

describe('rdx: list, of any size', () => {
  const COUNT = 100_000
  const chain = (src: bigint, after: Stamp): Item[] =>
    Array.from({ length: COUNT }, (_, i) => inserted(at(i + 1, src), i === 0 ? after : at(i, src)))

  it('is walked and merged without recursion: 100,000 elements each after the other', () => {
    const items = chain(1n, START)
    const tlv = Buffer.concat(items.map(elementBytes))
    assert.equal(L.check(tlv), undefined)
    assert.equal(L.plain(tlv)?.length, COUNT)
    assert.equal(toHex(L.merge([tlv, tlv])), toHex(tlv))
    const text = L.string(tlv) as string
    assert.equal(toHex(L.parse(text)), toHex(tlv))
    assert.deepEqual(L.plain(L.merge([tlv, L.delta(tlv, ['y'])])), ['y'])
  })

  it('takes no quadratic time for 100,000 elements after the same one, nor for as many in a circle', () => {
    const wide = Array.from({ length: COUNT }, (_, i) => inserted(at(COUNT - i, 1), START))
    const list = encode(wide)
    assert.equal(L.check(list), undefined)
    assert.equal(L.plain(list)?.length, COUNT)
    const halves = [wide.filter((_, i) => i % 2 === 0), wide.filter((_, i) => i % 2 === 1)].map(encode)
    assert.equal(toHex(L.merge(halves)), toHex(list))
    const round = encode(chain(1n, at(COUNT, 1)))
    assert.equal(L.check(round), undefined)
    assert.equal(L.plain(round)?.length, 0)
    assert.equal(toHex(L.merge([round, round])), toHex(round))
  })
})

describe('rdx: list, ids as numbers', () => {
  it('differ where any of the four halves differs', () => {
    const ids = new IdTable()
    const stamp = new StampView()
    const halves = [0, 1, 2, 3, 0x7fff_ffff]
    const all = halves.flatMap((a) => halves.flatMap((b) => halves.flatMap((c) => halves.map((d) => [a, b, c, d]))))
    const numbers = [1, 2].map(() =>
      all.map(([absHigh, absLow, srcHigh, srcLow]) => {
        Object.assign(stamp, { absHigh, absLow, srcHigh, srcLow })
        return ids.intern(stamp)
      }),
    )
    assert.deepEqual(numbers[0], [...all.keys()])
    assert.deepEqual(numbers[1], numbers[0])
    all.forEach((wish, number) => {
      ids.read(number, stamp)
      assert.deepEqual([stamp.absHigh, stamp.absLow, stamp.srcHigh, stamp.srcLow], wish)
    })
  })
})

describe('rdx: list, what is common to two', () => {
  const tokens = fc.array(fc.nat(3), { maxLength: 12 })

  it('is as much as there is', () => {
    holds(
      fc.property(tokens, tokens, (a, b) => {
        const { deleted, inserted } = diffItems(Int32Array.from(a), Int32Array.from(b))
        const kept = a.filter((_, i) => deleted[i] === 0)
        assert.deepEqual(
          kept,
          b.filter((_, i) => inserted[i] === 0),
        )
        assert.equal(kept.length, longestCommon(a, b))
      }),
      2000 * TIMES,
    )
  })

  it('is searched for in linear time, however different they are', () => {
    const length = 200_000
    const a = Int32Array.from({ length }, (_, i) => (i * 7919) % 1009)
    const b = Int32Array.from({ length }, (_, i) => (i * 104_729 + 5) % 1013)
    const { deleted, inserted, steps } = diffItems(a, b)
    assert.ok(steps < 1_000_000 + 130 * 2 * length + 2 ** 18, `${steps} steps`)
    assert.deepEqual(
      a.filter((_, i) => deleted[i] === 0),
      b.filter((_, i) => inserted[i] === 0),
    )
  })
})

/** Length of a longest common subsequence, by the table. */
function longestCommon(a: readonly number[], b: readonly number[]): number {
  let row = b.map(() => 0)
  for (const x of a) {
    const above = row
    row = []
    b.forEach((y, j) => {
      row.push(x === y ? (above[j - 1] ?? 0) + 1 : Math.max(above[j] as number, row[j - 1] ?? 0))
    })
  }
  return row.at(-1) ?? 0
}
