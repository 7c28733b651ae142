import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../src/base/bytes.js'
import { decodeVector, encodeVector } from '../src/history/derived.js'
import { SEQ_LIMIT } from '../src/lseq/lseq.js'
import { formatVector, parseVector, Streams, Vector } from '../src/lseq/vector.js'
import { anyBytes, holds } from './support/property.js'

/** The oracle: what is covered, by slot. */
type Covered = ReadonlyMap<number, number>

const slot = fc.oneof(fc.nat(20), fc.constantFrom(15, 16, 31, 32, 47, 100))
const seq = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: SEQ_LIMIT - 1 }))
const covered: fc.Arbitrary<Covered> = fc.array(fc.tuple(slot, seq), { maxLength: 12 }).map((pairs) => new Map(pairs))

/** A vector, built slot by slot in the map's order. */
function vectorOf(map: Covered): Vector {
  let vector = Vector.empty
  for (const [at, upTo] of map) vector = vector.with(at, upTo)
  return vector
}

function joinMaps(a: Covered, b: Covered): Map<number, number> {
  const joined = new Map(a)
  for (const [at, upTo] of b) joined.set(at, Math.max(upTo, a.get(at) ?? 0))
  return joined
}

const sorted = (pairs: Iterable<readonly [number, number]>): (readonly [number, number])[] =>
  [...pairs].sort(([a], [b]) => a - b)

function assertSame(vector: Vector, map: Covered): void {
  assert.deepEqual([...vector.entries()], sorted(map))
}

describe('vector: what it covers', () => {
  it('is what was put in', () => {
    holds(
      fc.property(covered, fc.array(fc.tuple(slot, seq)), (map, asked) => {
        const vector = vectorOf(map)
        assertSame(vector, map)
        for (const [at, upTo] of [...asked, ...map]) {
          assert.equal(vector.seqAt(at), map.get(at) ?? 0)
          assert.equal(vector.covers(at, upTo), upTo <= (map.get(at) ?? 0))
        }
      }),
    )
  })

  it('never gets less, and never changes', () => {
    const vector = Vector.empty.with(3, 10)
    assert.equal(vector.with(3, 9), vector)
    assert.equal(vector.with(3, 10), vector)
    const more = vector.with(3, 11)
    assert.equal(vector.seqAt(3), 10)
    assert.equal(more.seqAt(3), 11)
    assert.equal(vector.with(40, 1).seqAt(3), 10)
    assert.equal(vector.seqAt(40), 0)
  })

  it('of nothing is nothing', () => {
    assert.deepEqual([...Vector.empty.entries()], [])
    assert.equal(Vector.empty.covers(0, 1), false)
    assert.equal(Vector.empty.seqAt(1000), 0)
  })
})

describe('vector: join', () => {
  it('takes the greater of every stream', () => {
    holds(fc.property(covered, covered, (a, b) => assertSame(vectorOf(a).join(vectorOf(b)), joinMaps(a, b))))
  })

  it('is idempotent, commutative and associative, and nothing is its neutral element', () => {
    holds(
      fc.property(covered, covered, covered, (x, y, z) => {
        const [a, b, c] = [vectorOf(x), vectorOf(y), vectorOf(z)]
        const pairs = (vector: Vector): unknown[] => [...vector.entries()]
        assert.deepEqual(pairs(a.join(a)), pairs(a))
        assert.deepEqual(pairs(a.join(b)), pairs(b.join(a)))
        assert.deepEqual(pairs(a.join(b).join(c)), pairs(a.join(b.join(c))))
        assert.equal(a.join(Vector.empty), a)
        assert.deepEqual(pairs(Vector.empty.join(a)), pairs(a))
      }),
    )
  })

  it('changes neither of the two', () => {
    holds(
      fc.property(covered, covered, (x, y) => {
        const [a, b] = [vectorOf(x), vectorOf(y)]
        a.join(b)
        assertSame(a, x)
        assertSame(b, y)
      }),
    )
  })

  it('is one of the two where that covers the other', () => {
    holds(
      fc.property(covered, covered, (x, y) => {
        const [a, b] = [vectorOf(x), vectorOf(y)]
        const both = a.join(b)
        assert.equal(both.join(a), both)
        assert.equal(both.join(b), both)
        assert.equal(a.join(vectorOf(x)), a, 'an equal one is covered')
        // The smaller one first: it has nothing to give, so the greater comes back as it is.
        if (![...x].every(([at, upTo]) => b.covers(at, upTo))) return
        if ([...y].every(([at, upTo]) => a.covers(at, upTo))) return
        assert.equal(a.join(b), b)
      }),
    )
  })

  it('includes what it covers, and nothing else', () => {
    holds(
      fc.property(covered, covered, (x, y) => {
        const [a, b] = [vectorOf(x), vectorOf(y)]
        assert.equal(
          a.includes(b),
          [...y].every(([at, upTo]) => (x.get(at) ?? 0) >= upTo),
        )
        assert.ok(a.join(b).includes(a) && a.join(b).includes(b) && a.includes(Vector.empty) && a.includes(a))
      }),
    )
  })

  it('shares what it does not change, so that ten thousand versions of a wide history fit in memory', () => {
    let wide = Vector.empty
    for (let at = 0; at < 4000; at++) wide = wide.with(at, 1)
    const before = process.memoryUsage().arrayBuffers
    const versions: Vector[] = [wide]
    for (let i = 0; i < 10_000; i++) {
      const last = versions.at(-1) as Vector
      versions.push(i % 3 === 0 ? last.join(wide.with(i % 4000, i)) : last.with(i % 4000, i))
    }
    const grown = process.memoryUsage().arrayBuffers - before
    assert.ok(grown < 30_000_000, `${grown} bytes, where copies would take ${4000 * 8 * 10_000}`)
  })
})

describe('vector: streams', () => {
  it('get slots in order of first sight', () => {
    const streams = new Streams()
    assert.deepEqual(
      [7, 0xffffff, 7, 0].map((stream) => streams.slot(stream)),
      [0, 1, 0, 2],
    )
    assert.equal(streams.size, 3)
    assert.equal(streams.id(1), 0xffffff)
    assert.equal(streams.find(0), 2)
    assert.equal(streams.find(8), undefined)
    assert.throws(() => streams.id(3), RangeError)
  })
})

describe('vector: text', () => {
  const cases: [text: string, pairs: { stream: number; seq: number }[]][] = [
    ['000001:1', [{ stream: 1, seq: 1 }]],
    [
      '0000ff:1099511627775,abcdef:42',
      [
        { stream: 0xff, seq: SEQ_LIMIT - 1 },
        { stream: 0xabcdef, seq: 42 },
      ],
    ],
  ]
  for (const [text, pairs] of cases) {
    it(text, () => {
      const streams = new Streams()
      const vector = pairs.reduceRight((all, pair) => all.with(streams.slot(pair.stream), pair.seq), Vector.empty)
      assert.equal(formatVector(vector, streams), text)
      assert.deepEqual(parseVector(text), pairs)
    })
  }

  it('comes back, whatever slots the streams have, and is the same for the same state', () => {
    const pairs = fc.uniqueArray(fc.record({ stream: fc.nat(0xffffff), seq }, { noNullPrototype: true }), {
      selector: ({ stream }) => stream,
      minLength: 1,
      maxLength: 40,
    })
    const format = (list: readonly { stream: number; seq: number }[]): string => {
      const streams = new Streams()
      return formatVector(
        list.reduce((all, pair) => all.with(streams.slot(pair.stream), pair.seq), Vector.empty),
        streams,
      )
    }
    holds(
      fc.property(pairs, (list) => {
        const text = format(list)
        assert.deepEqual(
          parseVector(text),
          list.toSorted((a, b) => a.stream - b.stream),
        )
        assert.equal(format(list.toReversed()), text)
      }),
    )
  })

  const refused: [name: string, text: string][] = [
    ['nothing', ''],
    ['a word', 'main'],
    ['a stream alone', '000001'],
    ['a short stream', '00001:1'],
    ['upper case', '00000A:1'],
    ['seq 0', '000001:0'],
    ['a leading zero', '000001:01'],
    ['a seq over 40 bits', '000001:1099511627776'],
    ['an endless seq', `000001:${'9'.repeat(400)}`],
    ['a hex seq', '000001:a'],
    ['a comma behind', '000001:1,'],
    ['a space', '000001:1, 000002:1'],
    ['a newline behind', '000001:1\n'],
  ]
  for (const [name, text] of refused) it(`refuses ${name}`, () => assert.equal(parseVector(text), undefined))
})

describe('vector: bytes', () => {
  it('are the lseqs sorted by stream', () => {
    const bytes = encodeVector([
      { seq: 5, stream: 0xfffffe },
      { seq: 0x0102030405, stream: 3 },
    ])
    assert.equal(toHex(bytes), '01020304050000030000000005fffffe')
  })

  it('have one form: bytes that decode are encoded the same', () => {
    const lseqs = fc.uniqueArray(fc.record({ seq: fc.nat(3), stream: fc.nat(4) }, { noNullPrototype: true }), {
      selector: ({ stream }) => stream,
    })
    holds(
      fc.property(lseqs, (list) => {
        assert.deepEqual(
          decodeVector(encodeVector(list)),
          list.toSorted((a, b) => a.stream - b.stream),
        )
      }),
    )
    holds(
      fc.property(fc.oneof(anyBytes(32), fc.uint8Array({ max: 1, minLength: 16, maxLength: 16 })), (bytes) => {
        let decoded: ReturnType<typeof decodeVector>
        try {
          decoded = decodeVector(bytes)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'BAD_RECORD')
          return
        }
        assert.equal(toHex(encodeVector(decoded)), toHex(bytes))
      }),
      1000,
    )
  })
})
