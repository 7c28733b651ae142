/**
 * What every implementation of `Crypto` must do: the published vectors, the rules on signatures, the refusals.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Point } from '@noble/ed25519'
import { concatBytes, fromHex, fromLatin1, toHex, toLatin1 } from '../../src/base/bytes.js'
import type { Crypto } from '../../src/crypto/crypto.js'
import { EDGE_CASES, FIPS_180, RFC_8032 } from '../support/vectors.js'

const hex = (text: string): Uint8Array => fromHex(text) as Uint8Array

/** Order of the group: RFC 8032, section 5.1. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n
/** The field's prime. */
const P = 2n ** 255n - 19n

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}

/** Bytes with the sign bit of an encoded point set. */
function negative(point: Uint8Array): Uint8Array {
  return Uint8Array.from(point, (byte, i) => (i === 31 ? byte | 0x80 : byte))
}

/** All 14 encodings of the 8 points of small order: 8 canonical, 4 with y >= p, 2 of negative zero. */
const SMALL_POINTS: readonly Uint8Array[] = [
  littleEndian(0n),
  littleEndian(1n),
  littleEndian(P - 1n),
  littleEndian(P),
  littleEndian(P + 1n),
  hex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
  hex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
].flatMap((point) => [point, negative(point)])

/** Runs the contract on one implementation. */
export function cryptoSuite(crypto: Crypto): void {
  const { ed25519 } = crypto
  const seed = crypto.sha256(fromLatin1('seed'))
  const publicKey = ed25519.publicKey(seed)
  const message = fromLatin1('a message')
  const signature = ed25519.sign(seed, message)

  describe(`crypto: SHA-256 by ${crypto.name}`, () => {
    for (const [text, times, digest] of FIPS_180) {
      it(`hashes ${times} x ${JSON.stringify(text.slice(0, 8))} as FIPS 180-4 says`, () => {
        const bytes = fromLatin1(text.repeat(times))
        assert.equal(crypto.sha256Hex(bytes), digest)
        assert.equal(toHex(crypto.sha256(bytes)), digest)
        assert.equal(crypto.sha256Binary(bytes), toLatin1(hex(digest)))
        const pieces = crypto.createSha256()
        for (let at = 0; at < bytes.length; at += 100_003) pieces.update(bytes.subarray(at, at + 100_003))
        assert.equal(toHex(pieces.digest()), digest)
      })
    }

    it('hashes a view, not the buffer under it', () => {
      assert.equal(crypto.sha256Hex(fromLatin1('xabcx').subarray(1, 4)), FIPS_180[1]?.[2])
    })

    it('ends a stream with its digest', () => {
      const stream = crypto.createSha256().update(message)
      stream.digest()
      assert.throws(() => stream.digest(), Error)
      assert.throws(() => stream.update(message), Error)
    })

    it('refuses what is not bytes', () => {
      const refusal = { name: 'TypeError', message: 'bytes: expected a Uint8Array, got string' }
      for (const hash of [crypto.sha256, crypto.sha256Hex, crypto.sha256Binary]) {
        assert.throws(() => hash('abc' as unknown as Uint8Array), refusal)
      }
      assert.throws(() => crypto.createSha256().update(7 as unknown as Uint8Array), TypeError)
    })
  })

  describe(`crypto: Ed25519 by ${crypto.name}`, () => {
    for (const vector of RFC_8032) {
      it(`agrees with RFC 8032, ${vector.name}`, async () => {
        const [key, text, signed] = [hex(vector.publicKey), hex(vector.message), hex(vector.signature)]
        assert.equal(toHex(ed25519.publicKey(hex(vector.seed))), vector.publicKey)
        assert.equal(toHex(ed25519.sign(hex(vector.seed), text)), vector.signature)
        assert.equal(ed25519.verify(key, text, signed), true)
        assert.equal(await ed25519.verifyAsync(key, text, signed), true)
        const other = concatBytes(text, hex('00'))
        assert.equal(ed25519.verify(key, other, signed), false)
        assert.equal(await ed25519.verifyAsync(key, other, signed), false)
      })
    }

    for (const [i, vector] of EDGE_CASES.entries()) {
      it(`${vector.valid ? 'accepts' : 'refuses'} edge case ${i}: ${vector.odd}`, async () => {
        const parts = [hex(vector.publicKey), hex(vector.message), hex(vector.signature)] as const
        assert.equal(ed25519.verify(...parts), vector.valid)
        assert.equal(await ed25519.verifyAsync(...parts), vector.valid)
      })
    }

    it('refuses every key of small order, with every R of small order', async () => {
      assert.equal(SMALL_POINTS.length, 14)
      for (const key of SMALL_POINTS) {
        for (const r of SMALL_POINTS) {
          const forged = concatBytes(r, new Uint8Array(32))
          assert.equal(ed25519.verify(key, message, forged), false, `${toHex(key)} ${toHex(r)}`)
          assert.equal(await ed25519.verifyAsync(key, message, forged), false)
        }
      }
    })

    it('refuses every key of small order, with an R that fits one message in 8, or every one', async () => {
      // With A of order 1, 2, 4 or 8, [S]B = R + [k]A holds for R = [S]B wherever the order divides k.
      const forged = concatBytes(Point.BASE.multiply(5n).toBytes(), littleEndian(5n))
      for (const key of SMALL_POINTS) {
        for (let text = 0; text < 64; text++) {
          assert.equal(ed25519.verify(key, Uint8Array.of(text), forged), false, `${toHex(key)}, message ${text}`)
        }
        assert.equal(await ed25519.verifyAsync(key, message, forged), false)
      }
    })

    it('refuses a key whose y is not under p, and one that is no point', () => {
      for (let y = P; y < 2n ** 255n; y++) {
        for (const key of [littleEndian(y), negative(littleEndian(y))]) {
          assert.equal(ed25519.verify(key, message, signature), false)
        }
      }
      assert.equal(ed25519.verify(littleEndian(2n), message, signature), false)
    })

    it('refuses S + L, which is the same scalar', () => {
      const s = BigInt(`0x${toHex(Uint8Array.from(signature.subarray(32)).reverse())}`)
      assert.equal(ed25519.verify(publicKey, message, concatBytes(signature.subarray(0, 32), littleEndian(s))), true)
      for (const twin of [s + L, s + 2n * L]) {
        const forged = concatBytes(signature.subarray(0, 32), littleEndian(twin))
        assert.equal(ed25519.verify(publicKey, message, forged), false)
      }
    })

    it('keeps its answers apart over many keys in turn', () => {
      const keys = Array.from({ length: 70 }, (_, i) => {
        const own = crypto.sha256(Uint8Array.of(i))
        return { key: ed25519.publicKey(own), signed: ed25519.sign(own, message) }
      })
      for (const [i, { key, signed }] of keys.entries()) {
        assert.equal(ed25519.verify(key, message, signed), true)
        if (i % 10 === 0) assert.equal(ed25519.verify(key, message, signature), false)
      }
    })

    it('makes seeds of the 32 bytes it is given', () => {
      assert.equal(toHex(ed25519.generateSeed((n) => new Uint8Array(n).fill(7))), '07'.repeat(32))
      assert.throws(() => ed25519.generateSeed(() => new Uint8Array(31)), {
        name: 'RangeError',
        message: 'random(32): expected a Uint8Array of 32 bytes, got 31 bytes',
      })
      const [one, two] = [ed25519.generateSeed(crypto.randomBytes), ed25519.generateSeed(crypto.randomBytes)]
      assert.equal(one.length, 32)
      assert.notEqual(toHex(one), toHex(two))
    })

    it('is not misled by bytes that change during an asynchronous verify', async () => {
      const [key, text, signed] = [publicKey, message, signature].map((bytes) => Uint8Array.from(bytes))
      const answer = ed25519.verifyAsync(key as Uint8Array, text as Uint8Array, signed as Uint8Array)
      for (const bytes of [key, text, signed]) bytes?.fill(0)
      assert.equal(await answer, true)
    })

    const short = new Uint8Array(31)
    const text = 'message' as unknown as Uint8Array
    const refusals: [call: string, run: () => unknown, name: string, message: string][] = [
      [
        'publicKey',
        () => ed25519.publicKey(short),
        'RangeError',
        'seed: expected a Uint8Array of 32 bytes, got 31 bytes',
      ],
      [
        'sign',
        () => ed25519.sign(new Uint8Array(64), message),
        'RangeError',
        'seed: expected a Uint8Array of 32 bytes, got 64 bytes',
      ],
      ['sign', () => ed25519.sign(seed, text), 'TypeError', 'message: expected a Uint8Array, got string'],
      [
        'verify',
        () => ed25519.verify(short, message, signature),
        'RangeError',
        'publicKey: expected a Uint8Array of 32 bytes, got 31 bytes',
      ],
      [
        'verify',
        () => ed25519.verify(publicKey, text, signature),
        'TypeError',
        'message: expected a Uint8Array, got string',
      ],
      [
        'verify',
        () => ed25519.verify(publicKey, message, short),
        'RangeError',
        'signature: expected a Uint8Array of 64 bytes, got 31 bytes',
      ],
      [
        'verify',
        () => ed25519.verify(publicKey, message, text),
        'TypeError',
        'signature: expected a Uint8Array of 64 bytes, got string',
      ],
    ]
    for (const [call, run, name, wish] of refusals) {
      it(`${call} names argument, wish and finding: ${wish}`, () => assert.throws(run, { name, message: wish }))
    }

    it('verifyAsync rejects with the same errors', async () => {
      await assert.rejects(ed25519.verifyAsync(short, message, signature), {
        name: 'RangeError',
        message: /^publicKey: /,
      })
      await assert.rejects(ed25519.verifyAsync(publicKey, message, short), {
        name: 'RangeError',
        message: /^signature: /,
      })
    })
  })
}
