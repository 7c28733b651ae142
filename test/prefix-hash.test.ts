/**
 * SHA-256 of contents that begin alike, held to SHA-256 of each by itself.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../src/base/bytes.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { PrefixHash } from '../src/crypto/prefix-hash.js'
import { holds } from './support/property.js'

const STEP = 32 * 1024

describe('prefix hash', () => {
  it('is the hash of every content, whatever it shares with the one before', () => {
    const near = fc.tuple(fc.nat(5), fc.integer({ min: -2, max: 2 })).map(([n, d]) => Math.max(0, n * STEP + d))
    const size = fc.oneof(near, fc.nat(5 * STEP))
    // The next content: how long it is, and how much less than it really shares it is said to share.
    const change = fc.record({ keep: size, length: size, byte: fc.nat(255), modesty: fc.oneof(fc.constant(0), size) })
    holds(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const hasher = new PrefixHash()
        let content: Uint8Array = new Uint8Array(0)
        for (const { keep, length, byte, modesty } of changes) {
          const next = new Uint8Array(length).fill(byte)
          const same = Math.min(keep, content.length, length)
          next.set(content.subarray(0, same))
          content = next
          const said = Math.max(0, same - modesty)
          assert.equal(toHex(Buffer.from(hasher.digest(content, said), 'latin1')), crypto.sha256Hex(content))
        }
      }),
      150,
    )
  })
})
