/**
 * Conflicts as bytes: what goes in comes out, and nothing else is taken.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import {
  CONFLICT_KINDS,
  type Conflict,
  decodeConflicts,
  encodeConflicts,
  type Region,
  type RegionLines,
  type Stage,
} from '../src/history/conflict.js'
import { holds } from './support/property.js'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)
const latin1 = (maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 255 }), { maxLength }).map((codes) => String.fromCharCode(...codes))

const stage: fc.Arbitrary<Stage> = fc.record({
  path: latin1(20),
  mode: fc.constantFrom(0o100644, 0o100755, 0o120000, 0o160000),
  file: fc.record({ seq: fc.nat(2 ** 31 - 1), stream: fc.nat(2 ** 24 - 1) }),
  size: fc.nat(),
  sha256: hash,
  chunked: fc.boolean(),
})

const lines: fc.Arbitrary<RegionLines> = fc.record({
  first: fc.nat(100_000),
  count: fc.nat(1000),
  text: latin1(300),
  by: fc.array(fc.record({ version: hash, name: fc.string({ unit: 'grapheme', maxLength: 20 }) }), { maxLength: 3 }),
})

const markers = fc.tuple(fc.nat(999), fc.nat(99), fc.nat(99), fc.nat(99)).map(([start, a, b, c]) => ({
  start: start + 1,
  base: start + a + 2,
  middle: start + a + b + 3,
  end: start + a + b + c + 4,
}))

const region: fc.Arbitrary<Region> = fc.record(
  { base: lines, left: lines, right: lines, markers },
  { requiredKeys: ['base', 'left', 'right'] },
)

const conflict: fc.Arbitrary<Conflict> = fc.record(
  {
    kind: fc.constantFrom(...CONFLICT_KINDS),
    path: latin1(20),
    base: stage,
    left: stage,
    right: stage,
    regions: fc.array(region, { maxLength: 3 }),
  },
  { requiredKeys: ['kind', 'path', 'regions'] },
)

/** fast-check's records have no prototype. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

describe('conflicts', () => {
  it('come back as they were', () => {
    const property = fc.property(fc.array(conflict, { maxLength: 3 }), (conflicts) => {
      assert.deepEqual(plain(decodeConflicts(encodeConflicts(conflicts))), plain(conflicts))
    })
    holds(property)
  })

  it('have one form: bytes that are read are the bytes that are written', () => {
    const property = fc.property(
      fc.array(conflict, { minLength: 1, maxLength: 2 }),
      fc.nat(),
      fc.nat(255),
      (conflicts, at, byte) => {
        const bytes = encodeConflicts(conflicts)
        bytes[at % bytes.length] = byte
        let read: Conflict[]
        try {
          read = decodeConflicts(bytes)
        } catch (error) {
          assert.ok(error instanceof CodedError && error.code === 'BAD_RECORD', String(error))
          return
        }
        assert.deepEqual(encodeConflicts(read), bytes)
      },
    )
    holds(property, 1000)
  })

  it('are refused where markers are out of order', () => {
    const property = fc.property(conflict, region, markers, (one, where, at) => {
      const bytes = encodeConflicts([{ ...one, regions: [{ ...where, markers: { ...at, middle: at.end } }] }])
      assert.throws(() => decodeConflicts(bytes), { code: 'BAD_RECORD' })
    })
    holds(property, 20)
  })

  it('are refused when cut off', () => {
    const property = fc.property(conflict, fc.nat(), (one, at) => {
      const bytes = encodeConflicts([one])
      assert.throws(() => decodeConflicts(bytes.subarray(0, 1 + (at % (bytes.length - 1)))), { code: 'BAD_RECORD' })
    })
    holds(property)
  })
})
