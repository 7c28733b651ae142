import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { concatBytes, equalBytes } from '../src/base/bytes.js'
import { Chunker, chunkBoundaries, MAX_CHUNK, MIN_CHUNK } from '../src/lines/chunk.js'
import { holds } from './support/property.js'

/** Bytes that look random and are the same everywhere: xorshift32 from `seed`, the low byte of each state. */
function noise(length: number, seed: number): Uint8Array {
  let state = seed
  return Uint8Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0xff
  })
}

function chunksOf(bytes: Uint8Array): Uint8Array[] {
  let start = 0
  return [...chunkBoundaries(bytes)].map((end) => {
    const chunk = bytes.subarray(start, end)
    start = end
    return chunk
  })
}

/** Contents of all sizes from nothing to some chunks, random or of few different bytes. */
const contents = fc
  .tuple(
    fc.oneof(fc.nat(200_000), fc.constantFrom(0, 1, 4095, 4096, 65_535, 65_536, 65_537)),
    fc.integer({ min: 1 }),
    fc.constantFrom(0xff, 3, 0),
  )
  .map(([length, seed, mask]) => noise(length, seed).map((byte) => byte & mask))

describe('chunks', () => {
  it('are cut where they always were', () => {
    // Golden, and found by a separate program from the description in chunk.ts: other numbers are another format.
    assert.deepEqual(
      [...chunkBoundaries(noise(400_000, 0x77656674))],
      [
        18718, 35630, 54379, 72758, 91639, 108337, 124221, 140710, 147550, 168104, 201101, 218985, 235749, 253343,
        275506, 293866, 299872, 316736, 335206, 342798, 360136, 379626, 396964, 400000,
      ],
    )
  })

  it('join to the content, each of a size within the bounds', () => {
    holds(
      fc.property(contents, (bytes) => {
        const chunks = chunksOf(bytes)
        assert.ok(equalBytes(concatBytes(...chunks), bytes))
        for (const chunk of chunks.slice(0, -1)) assert.ok(chunk.length >= MIN_CHUNK && chunk.length <= MAX_CHUNK)
        const last = chunks.at(-1)
        assert.ok(last === undefined || (last.length > 0 && last.length <= MAX_CHUNK))
      }),
      100,
    )
  })

  it('are the same for content that comes in pieces', () => {
    holds(
      fc.property(contents, fc.array(fc.nat(200_000), { maxLength: 6 }), (bytes, cuts) => {
        const chunker = new Chunker()
        const chunks: Uint8Array[] = []
        let start = 0
        for (const end of [...cuts.map((cut) => cut % (bytes.length + 1)).sort((x, y) => x - y), bytes.length]) {
          const piece = bytes.slice(start, end)
          chunks.push(...chunker.push(piece))
          piece.fill(0)
          start = end
        }
        chunks.push(...chunker.finish())
        assert.deepEqual(
          chunks.map((chunk) => chunk.length),
          chunksOf(bytes).map((chunk) => chunk.length),
        )
        assert.ok(equalBytes(concatBytes(...chunks), bytes))
        assert.deepEqual(chunker.finish(), [])
      }),
      100,
    )
  })

  it('change only near an insertion', () => {
    const inserted = fc.tuple(
      fc.integer({ min: 1 }),
      fc.nat(1_000_000),
      fc.uint8Array({ minLength: 1, maxLength: 100 }),
    )
    holds(
      fc.property(inserted, ([seed, at, bytes]) => {
        const old = noise(1_000_000, seed)
        const now = concatBytes(old.subarray(0, at), bytes, old.subarray(at))
        const known = new Set(chunksOf(old).map((chunk) => Buffer.from(chunk).toString('latin1')))
        const fresh = chunksOf(now).filter((chunk) => !known.has(Buffer.from(chunk).toString('latin1')))
        // One or two chunks are the rule; cuts that are too near to each other may take some more to fall into step.
        assert.ok(fresh.length <= 8, `${fresh.length} new chunks`)
      }),
      20,
    )
  })

  it('may end right at the least size, by bytes that the chunk before did not count', () => {
    // The 32 bytes before the cut at 147,550, which a chunk of 6,840 bytes ends with, do so wherever they are.
    const window = noise(400_000, 0x77656674).subarray(147_518, 147_550)
    const bytes = new Uint8Array(10_000)
    bytes.set(window, MIN_CHUNK - window.length)
    assert.deepEqual([...chunkBoundaries(bytes)], [MIN_CHUNK, 10_000])
  })

  it('of one byte over and over are as large as can be', () => {
    assert.deepEqual([...chunkBoundaries(new Uint8Array(150_000))], [65_536, 131_072, 150_000])
  })
})
