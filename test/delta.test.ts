/**
 * Deltas and what they are made of: git's own form, read by a slow and obvious reader.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toLatin1 } from '../src/base/bytes.js'
import { encodeDelta, newBytes } from '../src/git/delta.js'
import { commonParts } from '../src/git/tree-writer.js'
import { anyBytes, holds } from './support/property.js'

/** gitformat-pack(5), word by word. */
function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = delta[at++] as number
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  assert.equal(varint(), base.length, 'size of the base')
  const size = varint()
  const out: number[] = []
  while (at < delta.length) {
    const op = delta[at++] as number
    assert.notEqual(op, 0)
    if (op < 128) {
      out.push(...delta.subarray(at, at + op))
      at += op
      continue
    }
    let offset = 0
    let length = 0
    for (let i = 0; i < 4; i++) if (op & (1 << i)) offset += (delta[at++] as number) * 256 ** i
    for (let i = 0; i < 3; i++) if (op & (16 << i)) length += (delta[at++] as number) * 256 ** i
    assert.ok(length > 0 && offset + length <= base.length)
    for (let i = 0; i < length; i++) out.push(base[offset + i] as number)
  }
  assert.equal(out.length, size)
  return Uint8Array.from(out)
}

/** A base, and pieces of which a target is made: bytes of its own, or a part of the base. */
const pieces = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ bytes })),
    fc.record({ from: fc.nat(2000), length: fc.nat(700) }),
  ),
  { maxLength: 8 },
)

describe('deltas', () => {
  it('give back the target', () => {
    holds(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), pieces, (base, parts) => {
        const copies: number[] = []
        const target: number[] = []
        for (const part of parts) {
          const bytes = 'bytes' in part ? part.bytes : base.subarray(part.from, part.from + part.length)
          if (!('bytes' in part) && bytes.length > 0) copies.push(part.from, target.length, bytes.length)
          target.push(...bytes)
        }
        const wanted = Uint8Array.from(target)
        const delta = encodeDelta(base.length, wanted, copies)
        assert.deepEqual(applyDelta(base, delta), wanted)
        assert.ok(delta.length >= newBytes(wanted.length, copies))
      }),
    )
  })

  it('cut copies that are too long for one', () => {
    const base = Buffer.alloc(0x1000000 + 5, 'abc')
    const target = Buffer.concat([base, Buffer.from('!')])
    const delta = encodeDelta(base.length, target, [0, 0, base.length])
    // Sizes; ffffff bytes from 0; 6 bytes from ffffff; one byte.
    assert.equal(delta.toString('hex'), ['85808008', '86808008', 'f0ffffff', '97ffffff06', '0121'].join(''))
  })

  it('find what two trees have in common', () => {
    const tree = fc
      .uniqueArray(fc.record({ sort: fc.string({ minLength: 1, maxLength: 3 }), id: anyBytes(4) }), {
        selector: ({ sort }) => sort,
        maxLength: 12,
      })
      .map((entries) =>
        entries
          .map(({ sort, id }) => ({ sort, text: `100644 ${sort}\0${toLatin1(id)}` }))
          .sort((a, b) => (a.sort < b.sort ? -1 : 1)),
      )
    holds(
      fc.property(tree, tree, (from, to) => {
        const [old, wanted] = [from, to].map((entries) => entries.map(({ text }) => text).join('')) as [string, string]
        const copies = commonParts(from, to)
        for (let i = 0; i < copies.length; i += 3) {
          const [there = 0, here = 0, length = 0] = copies.slice(i, i + 3)
          assert.equal(wanted.slice(here, here + length), old.slice(there, there + length))
        }
        if (old === wanted && old !== '') assert.deepEqual(copies, [0, 0, old.length])
      }),
    )
  })
})
