/**
 * What the laws do not say of the replicated types: native values, what constructors refuse, the dispatcher, lone keys of
 * maps, the causal counter, large states.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import * as rdx from '../src/rdx/index.js'
import { encodeStamp } from '../src/rdx/stamp.js'
import { random } from './support/random.js'

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', '')) as Uint8Array

function code(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error))
    return error.code
  }
  return undefined
}

describe('rdx: native values', () => {
  it('of mixed types are told apart', () => {
    const natives = [1, 1.5, 1n, { seq: 1n, stream: 2n }, '1', null, { term: '1' }]
    assert.deepEqual(rdx.E.plain(rdx.E.tlv([...natives, ...natives].reverse())), natives)
    assert.equal(rdx.E.string(rdx.E.tlv(natives)), '{1.0,1.5,1,2-1,"1",null,t"1"}')
  })

  it('of maps: the last of equal keys counts', () => {
    assert.equal(
      rdx.M.string(
        rdx.M.tlv([
          ['b', 1n],
          ['a', 2n],
          ['b', 3n],
        ]),
      ),
      '{"a":2,"b":3}',
    )
  })

  it('of integers may be numbers where that is exact', () => {
    assert.equal(toHex(rdx.I.tlv(5)), toHex(rdx.I.tlv(5n)))
    assert.equal(rdx.N.plain(rdx.N.tlv(5)), 5n)
    assert.equal(rdx.Z.plain(rdx.Z.tlv(-5)), -5n)
    assert.equal(rdx.C.plain(rdx.C.tlv(-5)), -5n)
    assert.deepEqual(
      rdx.V.plain(
        rdx.V.tlv(
          new Map<number | bigint, number>([
            [1, 2],
            [0n, 3],
          ]),
        ),
      ),
      new Map([
        [0n, 3n],
        [1n, 2n],
      ]),
    )
  })

  const big = 2n ** 63n
  const unfit: [letter: string, native: unknown][] = [
    ['F', Number.NaN],
    ['F', 1n],
    ['F', '1'],
    ['I', 1.5],
    ['I', -0],
    ['I', 2 ** 53],
    ['I', big],
    ['I', -big - 1n],
    ['I', '1'],
    ['I', null],
    ['S', '\ud800'],
    ['S', 5],
    ['T', { term: '' }],
    ['T', { term: '\udc00' }],
    ['T', { term: 5 }],
    ['T', 'word'],
    ['R', { seq: -1n, stream: 0n }],
    ['R', { seq: 0n, stream: 2n * big }],
    ['R', { seq: 1, stream: 0n }],
    ['R', {}],
    ['R', undefined],
    ['C', big],
    ['C', true],
    ['N', -1],
    ['N', 2n * big],
    ['Z', big],
    ['Z', 0.5],
    ['E', undefined],
    ['E', null],
    ['E', 5],
    ['E', 'text'],
    ['E', {}],
    ['E', [undefined]],
    ['M', [1n]],
    ['M', [[1n]]],
    ['M', [[1n, 2n, 3n]]],
    ['M', undefined],
    ['V', undefined],
    ['V', new Set([1])],
    ['V', new Map([['a', 1]])],
    ['L', [undefined]],
    ['L', undefined],
    ['F', undefined],
    ['S', undefined],
    ['T', undefined],
    ['N', undefined],
    ['Z', undefined],
    ['C', () => 1],
    ['E', [[]]],
    ['E', [Symbol('s')]],
    ['M', [['a', true]]],
    ['V', new Map([[1n, 0n]])],
    ['V', new Map([[-1n, 1n]])],
    ['V', new Map([[1n, 2n * big]])],
    ['X', 1],
  ]
  for (const [letter, native] of unfit) {
    it(`${letter} has no ${typeof native === 'object' ? JSON.stringify(native, (_, v) => (typeof v === 'bigint' ? String(v) : v)) : String(native)}`, () => {
      assert.equal(
        code(() => rdx.tlv(letter, native)),
        'RDX_VALUE',
      )
      assert.equal(
        code(() => rdx.delta(letter, rdx.empty(letter), native)),
        'RDX_VALUE',
      )
    })
  }

  it('that no delta can reach are refused', () => {
    const cases: [letter: string, text: string, native: unknown, code: string | undefined][] = [
      ['N', 'N<{5,1}>', 4, 'RDX_VALUE'],
      ['N', 'N<{18446744073709551615,0}>', 2n ** 64n, 'RDX_VALUE'],
      ['N', 'N<{18446744073709551615,1}>', 2n ** 64n, undefined],
      ['Z', 'Z<9223372036854775807>', 2n ** 63n, 'RDX_VALUE'],
      ['Z', 'Z<9223372036854775807{1,1}>', 2n ** 63n, undefined],
      ['Z', 'Z<1{9223372036854775807,0}>', 5, 'CLOCK_EXHAUSTED'],
      ['V', 'V<{5,1}>', new Map([[1n, 4n]]), 'RDX_VALUE'],
      ['V', 'V<{5,1}>', new Map(), 'RDX_VALUE'],
      ['I', '1{9223372036854775807,1}', 2, 'CLOCK_EXHAUSTED'],
      ['I', '1{-9223372036854775807,1}', 1, 'CLOCK_EXHAUSTED'],
      ['I', '1{9223372036854775807,1}', 1, undefined],
      ['E', '{1{9223372036854775807,1}}', [], 'CLOCK_EXHAUSTED'],
      ['M', '{1{9223372036854775807,1}:2}', [], 'CLOCK_EXHAUSTED'],
    ]
    for (const [letter, text, native, wish] of cases) {
      assert.equal(
        code(() => rdx.delta(letter, rdx.parse(letter, text), native)),
        wish,
        `${letter} ${text}`,
      )
    }
    assert.equal(
      code(() => rdx.N.delta(rdx.N.parse('N<{5,9}>'), 4, 9n)),
      'RDX_VALUE',
    )
    for (const src of [-1n, 2n ** 64n, 1 as unknown as bigint]) {
      for (const [letter, native] of [
        ['I', 1],
        ['E', [1n]],
        ['M', [[1n, 1n]]],
        ['N', 1],
        ['Z', 1],
      ] as const) {
        assert.equal(
          code(() => rdx.delta(letter, rdx.empty(letter), native, src)),
          'RDX_VALUE',
          letter,
        )
      }
    }
    assert.equal(
      code(() => encodeStamp({ rev: 2n ** 63n, src: 0n })),
      'RDX_VALUE',
    )
    assert.equal(
      code(() => encodeStamp({ rev: 1 as unknown as bigint, src: 0n })),
      'RDX_VALUE',
    )
  })
})

describe('rdx: changes', () => {
  const deltas: [letter: string, state: string, native: unknown, change: string][] = [
    ['I', '1{3,7}', 1, '0'],
    ['I', '1{3,7}', 2, '2{4,9}'],
    ['I', '1{-3,7}', 1, '1{4,9}'],
    ['S', '""', '', '""'],
    ['N', 'N<{3,1},{4,9}>', 8, 'N<{5,9}>'],
    ['Z', 'Z<3{5,1},4{6,9}>', 6, 'Z<3{7,9}>'],
    ['Z', 'Z<3{-5,9}>', 1, 'Z<1{6,9}>'],
    ['E', '{1{3,1},2{5,2},3{-4,1}}', [2n, 3n, 4n], '{1{-6,9},3{6,9},4{6,9}}'],
    ['E', '{1{3,1}}', [1n], '{}'],
    ['E', '{1{-3,1}}', [], '{}'],
    ['M', '{1{3,1}:2{5,2}}', [[1n, 2n]], '{:}'],
    ['M', '{1{3,1}:2{5,2}}', [[1n, 3n]], '{1{3,1}:3{6,9}}'],
    ['M', '{1{3,1}:2{5,2}}', [], '{1{-6,9}:null}'],
    ['M', '{1{-3,1}:2{5,2}}', [], '{:}'],
    ['M', '{1{-3,1}:2{5,2}}', [[1n, 2n]], '{1{6,9}:2{5,2}}'],
    ['M', '{1{3,1}:2{-5,2}}', [[1n, 2n]], '{1{3,1}:2{6,9}}'],
    ['M', '{1{-3,1}:2{5,2}}', [[1n, 2.5]], '{1{6,9}:2.5{6,9}}'],
    [
      'M',
      '{1{3,1}:2{5,2}}',
      [
        [0n, 1n],
        [1n, 2n],
      ],
      '{0{6,9}:1{6,9}}',
    ],
    [
      'V',
      'V<{3,1}>',
      new Map([
        [1n, 4n],
        [2n, 1n],
      ]),
      'V<{4,1},{1,2}>',
    ],
    ['C', 'C<5>', 3, 'C<-2>'],
  ]
  for (const [letter, state, native, change] of deltas) {
    it(`${state} to ${change}`, () => {
      assert.equal(rdx.string(letter, rdx.delta(letter, rdx.parse(letter, state), native, 9n)), change)
    })
  }

  it('of bytes that are no state are those of the empty one', () => {
    for (const letter of ['E', 'M', 'N', 'V', 'Z', 'I', 'C']) {
      const native = { E: [1n], M: [[1n, 1n]], V: new Map([[1n, 1n]]) }[letter] ?? 5
      assert.equal(toHex(rdx.delta(letter, hex('ff00'), native)), toHex(rdx.delta(letter, rdx.empty(letter), native)))
    }
  })
})

describe('rdx: maps', () => {
  it('take a lone key that was removed, and write the pair', () => {
    const lone = hex('690432050102')
    assert.ok(rdx.M.valid(lone))
    assert.equal(rdx.M.string(lone), '{1{-3,1}:null}')
    assert.equal(toHex(rdx.M.merge([lone])), '690432050102740130')
    assert.equal(rdx.M.string(rdx.M.merge([lone, rdx.M.parse('{1{2,2}:0}')])), '{1{-3,1}:0}')
    assert.deepEqual(rdx.M.plain(lone), [])
    assert.equal(rdx.M.string(rdx.M.diff(lone, rdx.V.empty())), '{1{-3,1}:null}')
    assert.equal(rdx.M.string(rdx.M.diff(lone, rdx.V.parse('V<{3,1}>'))), '{1{-3,1}:null}')
  })

  it('merge keys and values apart', () => {
    const merged = rdx.M.merge(['{1{5,1}:2{1,1}}', '{1{2,2}:3{7,2}}', '{1{-4,3}:4{6,3}}'].map(rdx.M.parse))
    assert.equal(rdx.M.string(merged), '{1{5,1}:3{7,2}}')
  })

  it('of values that differ in their letter alone take the first letter', () => {
    const [i, f] = ['{1:0}', '{1:0.0}'].map(rdx.M.parse) as [Uint8Array, Uint8Array]
    assert.equal(rdx.M.string(rdx.M.merge([i, f])), '{1:0.0}')
    assert.equal(rdx.M.string(rdx.M.merge([f, i])), '{1:0.0}')
  })
})

describe('rdx: the causal counter', () => {
  const [one, two] = ['C<1>', 'C<2>'].map(rdx.C.parse) as [Uint8Array, Uint8Array]

  it('adds what a log gives it, in any order, past the end of 64 bits', () => {
    assert.equal(rdx.C.plain(rdx.C.add(one, [two, two])), 5n)
    const most = rdx.C.tlv(2n ** 63n - 1n)
    assert.equal(rdx.C.plain(rdx.C.add(most, [one])), -(2n ** 63n))
    assert.equal(rdx.C.plain(rdx.C.add(rdx.C.add(most, [one]), [rdx.C.delta(rdx.C.add(most, [one]), 7)])), 7n)
    assert.equal(rdx.C.plain(rdx.C.add(one, [hex('00')])), 1n)
    assert.equal(rdx.C.plain(rdx.C.add(hex('00'), [one])), 1n)
  })

  it('is merged only where nothing is to be added', () => {
    assert.equal(rdx.C.merge([one, two]), undefined)
    assert.equal(rdx.merge('C', [two, one, one]), undefined)
    assert.equal(toHex(rdx.C.merge([one, one, rdx.C.empty(), hex('00')]) as Uint8Array), toHex(one))
    assert.equal(toHex(rdx.C.merge([]) as Uint8Array), '')
    assert.equal(rdx.mergeRecords(['C<1>', 'C<2>'].map(rdx.parseRecords)), undefined)
    assert.equal(rdx.C.diff(one, rdx.V.empty()), one)
    assert.equal(rdx.C.plain(hex('00')), undefined)
    assert.equal(rdx.C.string(hex('00')), undefined)
    assert.equal(toHex(rdx.C.diff(hex('00'), rdx.V.empty())), '')
    assert.equal(toHex(rdx.C.vector(one)), '')
    assert.equal(rdx.C.compare(one, one), 0)
  })
})

describe('rdx: by letter', () => {
  it('is as the README shows', () => {
    const ana = rdx.E.tlv([1n, 'two'])
    const ben = rdx.E.merge([ana, rdx.E.delta(ana, ['two', 3.5], 7n)])
    assert.equal(rdx.E.string(rdx.E.merge([ben, ana])), '{3.5{1,7},1{-1,7},"two"}')
    assert.equal(toHex(rdx.merge('E', [ana, ben]) as Uint8Array), toHex(ben))
  })

  it('knows all types in both cases, and N by its older name', () => {
    assert.deepEqual(Object.keys(rdx.TYPES).sort().join(''), 'CEFILMNRSTVZ')
    for (const [letter, type] of Object.entries(rdx.TYPES)) {
      assert.equal(type.letter, letter)
      assert.equal(rdx.typeOf(letter.toLowerCase()), type)
      assert.ok(rdx.valid(letter, rdx.empty(letter)))
      assert.equal(toHex(rdx.merge(letter, []) as Uint8Array), toHex(rdx.empty(letter)))
    }
    assert.equal(rdx.typeOf('u'), rdx.N)
  })

  it('answers for letters that no type has', () => {
    for (const letter of ['X', '', 'toString', '__proto__', 'EE']) {
      assert.equal(rdx.typeOf(letter), undefined)
      assert.equal(rdx.valid(letter, hex('')), false)
      assert.deepEqual(rdx.check(letter, hex('')), { offset: 0, rule: `there is no type "${letter}"` })
      assert.equal(rdx.string(letter, hex('')), undefined)
      assert.equal(rdx.plain(letter, hex('')), undefined)
      assert.equal(rdx.merge(letter, [hex('')]), undefined)
      assert.equal(toHex(rdx.diff(letter, hex('01'), hex(''))), '')
      assert.equal(toHex(rdx.empty(letter)), '')
      assert.equal(toHex(rdx.vector(letter, hex('01'))), '')
      assert.ok(rdx.compare(letter, hex('01'), hex('02')) < 0)
      assert.equal(
        code(() => rdx.parse(letter, '')),
        'RDX_VALUE',
      )
    }
  })

  it('merges elements of different types by rank, and nothing else that differs', () => {
    const merge = (...texts: string[]): string | undefined => {
      const merged = rdx.mergeRecords(texts.map(rdx.parseRecords))
      return merged && rdx.formatRecords(merged)
    }
    assert.equal(merge('1{2,1}', '"a"{3,1}', '2.5{1,1}'), '"a"{3,1}\n')
    assert.equal(merge('0', '0.0', 'null'), '0.0\n')
    assert.equal(merge('1', '{1}'), undefined)
    assert.equal(merge('{1}', '1'), undefined)
    assert.equal(merge('{1}', '{1:2}'), undefined)
    assert.equal(merge('1 2'), undefined)
    assert.equal(merge(), undefined)
    assert.equal(rdx.diffRecords(rdx.parseRecords('{1}'), rdx.parseRecords('{1:2}')), undefined)
    assert.equal(rdx.splitRecords(hex('00')), undefined)
  })

  it('counts what nobody stamped as never seen', () => {
    const state = rdx.E.parse('{5{0,1}}')
    assert.equal(toHex(rdx.E.diff(state, rdx.V.parse('V<{9,1}>'))), toHex(state))
    assert.equal(toHex(rdx.E.vector(state)), '')
  })

  it('takes stamped values that meet the present for the empty difference', () => {
    for (const [letter, text] of [
      ['I', '5{3,1}'],
      ['E', '{5{3,1}}'],
      ['M', '{5{3,1}:6{2,1}}'],
      ['N', 'N<{3,1}>'],
      ['Z', 'Z<5{3,1}>'],
      ['V', 'V<{3,1}>'],
    ] as const) {
      const state = rdx.parse(letter, text)
      assert.equal(toHex(rdx.diff(letter, state, rdx.parse('V', 'V<{3,1}>'))), toHex(rdx.empty(letter)))
      assert.equal(toHex(rdx.diff(letter, state, rdx.parse('V', 'V<{2,1},{9,2}>'))), toHex(state))
      assert.equal(toHex(rdx.diff(letter, hex('ff'), hex(''))), toHex(rdx.empty(letter)))
      assert.equal(rdx.string('V', rdx.vector(letter, state)), 'V<{3,1}>')
      assert.equal(toHex(rdx.vector(letter, hex('ff'))), '')
    }
  })
})

describe('rdx: large states', () => {
  const { below } = random('rdx: large states')

  it('with keys of all sizes are in order of their values, not of their headers', () => {
    const keys = [0, 1, 9, 10, 253, 254, 255, 256, 70_000].flatMap((size) =>
      ['a', 'b'].map((char) => char.repeat(size)),
    )
    const set = rdx.E.tlv(keys)
    assert.ok(rdx.E.valid(set))
    assert.deepEqual(rdx.E.plain(set), [...new Set(keys)].sort())
    const parts = keys.map((key) => rdx.E.tlv([key])).sort(() => below(3) - 1)
    assert.equal(toHex(rdx.E.merge(parts)), toHex(set))
    const map = rdx.M.tlv(keys.map((key) => [key, key]))
    const halves = [0, 1].map((half) => rdx.M.tlv(keys.filter((_, i) => i % 2 === half).map((key) => [key, key])))
    assert.equal(toHex(rdx.M.merge(halves)), toHex(map))
    assert.equal(toHex(rdx.M.parse(rdx.M.string(map) as string)), toHex(map))
  })

  it('with keys that differ late are in order', () => {
    const keys = ['a', 'b', 'c'].flatMap((end) => [31, 32, 33, 100, 70_000].map((size) => 'k'.repeat(size) + end))
    const set = rdx.E.tlv(keys)
    assert.deepEqual(rdx.E.plain(set), keys.sort())
    assert.ok(rdx.E.valid(set))
    assert.equal(toHex(rdx.E.merge(keys.map((key) => rdx.E.tlv([key])).reverse())), toHex(set))
  })

  it('are merged in time that grows with their size, not with its square', () => {
    const sizes = [20_000, 80_000].map((size) => {
      const parts = Array.from({ length: size }, () => rdx.E.tlv([BigInt(below(1 << 30))]))
      const began = performance.now()
      const merged = rdx.E.merge(parts)
      const took = performance.now() - began
      assert.ok(rdx.E.valid(merged))
      return took
    })
    // Sixteen times would be quadratic; four and some is n log n.
    assert.ok((sizes[1] as number) < 12 * (sizes[0] as number) + 200, sizes.join(' ms, '))
  })
})
