import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { verify as nobleVerify } from '@noble/ed25519'
import fc from 'fast-check'
import { concatBytes, fromHex, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import { defaultCrypto, loadNobleCrypto } from '../src/crypto/default.js'
import { inclusionProof, verifyInclusion } from '../src/crypto/inclusion.js'
import {
  leafDigest,
  leafHash,
  leafHashOf,
  MerkleBuilder,
  merkleRoot,
  merkleRootDigest,
  nodeDigest,
  nodeHash,
} from '../src/crypto/merkle.js'
import { nobleCrypto } from '../src/crypto/noble.js'
import { nodeCrypto } from '../src/crypto/node.js'
import { sha1, sha1Hex } from '../src/crypto/sha1.js'
import { cryptoSuite } from './suites/crypto.js'
import { anyBytes, holds, holdsAsync } from './support/property.js'
import { CT_LEAVES, CT_PATHS, CT_ROOTS, EDGE_CASES, FIPS_180 } from './support/vectors.js'
import { ROOT } from './support/weft.js'

const hex = (text: string): Uint8Array => fromHex(text) as Uint8Array
/** SHA-256 by a path of its own: streaming, joined beforehand, no weft code. */
const plainSha256 = (...parts: Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return Uint8Array.from(hash.digest())
}
const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))

cryptoSuite(nodeCrypto)
cryptoSuite(nobleCrypto)

describe('crypto: node and noble', () => {
  it('hash alike, whole and in pieces', () => {
    holds(
      fc.property(fc.array(anyBytes(200), { maxLength: 6 }), (pieces) => {
        const whole = concatBytes(...pieces)
        const [node, noble] = [nodeCrypto.createSha256(), nobleCrypto.createSha256()]
        for (const piece of pieces) {
          node.update(piece)
          noble.update(piece)
        }
        const digest = nodeCrypto.sha256Hex(whole)
        assert.equal(nobleCrypto.sha256Hex(whole), digest)
        assert.equal(nobleCrypto.sha256Binary(whole), nodeCrypto.sha256Binary(whole))
        assert.equal(toHex(node.digest()), digest)
        assert.equal(toHex(noble.digest()), digest)
      }),
    )
  })

  it('make the same keys and signatures, and each accepts what the other made', async () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
    await holdsAsync(
      fc.asyncProperty(
        seeds,
        anyBytes(200),
        fc.nat(32 * 8 - 1),
        fc.nat(64 * 8 - 1),
        async (seed, message, keyBit, signatureBit) => {
          const key = nodeCrypto.ed25519.publicKey(seed)
          const signature = nodeCrypto.ed25519.sign(seed, message)
          assert.equal(toHex(nobleCrypto.ed25519.publicKey(seed)), toHex(key))
          assert.equal(toHex(nobleCrypto.ed25519.sign(seed, message)), toHex(signature))
          for (const { ed25519 } of [nodeCrypto, nobleCrypto]) {
            assert.equal(ed25519.verify(key, message, signature), true)
            assert.equal(await ed25519.verifyAsync(key, message, signature), true)
            assert.equal(await ed25519.verifyAsync(flip(key, keyBit), message, signature), false)
            assert.equal(ed25519.verify(flip(key, keyBit), message, signature), false)
            assert.equal(ed25519.verify(key, message, flip(signature, signatureBit)), false)
            assert.equal(ed25519.verify(key, concatBytes(message, message, hex('00')), signature), false)
          }
        },
      ),
      25,
    )
  })

  it('have a rule of their own because noble, strict as it is, multiplies by the cofactor', () => {
    const strict = EDGE_CASES.map(({ publicKey, message, signature }) =>
      nobleVerify(hex(signature), hex(message), hex(publicKey), { zip215: false }),
    )
    const disputed = EDGE_CASES.flatMap(({ valid }, i) => (valid === strict[i] ? [] : [i]))
    assert.deepEqual(disputed, [4, 5, 7, 8])
  })

  it('are chosen by default.ts, noble only when asked for', async () => {
    assert.equal(defaultCrypto, nodeCrypto)
    assert.equal(await loadNobleCrypto(), nobleCrypto)
    // noble.ts gives @noble/ed25519 its SHA-512, so a process of its own tells whether it has been loaded.
    const url = new URL('../src/crypto/default.ts', import.meta.url).href
    const script = `
      const { loadNobleCrypto } = await import(${JSON.stringify(url)})
      const { hashes } = await import('@noble/ed25519')
      const before = typeof hashes.sha512
      await loadNobleCrypto()
      console.log(before, typeof hashes.sha512)`
    const run = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { cwd: ROOT })
    assert.equal(run.stderr.toString(), '')
    assert.equal(run.stdout.toString(), 'undefined function\n')
  })
})

describe('crypto: SHA-1 for git', () => {
  for (const [text, times, , digest] of FIPS_180) {
    if (digest === undefined) continue
    it(`hashes ${times} x ${JSON.stringify(text.slice(0, 8))} as FIPS 180-4 says`, () => {
      const bytes = fromLatin1(text.repeat(times))
      assert.equal(sha1Hex(bytes), digest)
      assert.equal(toHex(sha1(bytes)), digest)
    })
  }

  it('gives the ids that git gives', () => {
    assert.equal(sha1Hex(fromLatin1('blob 0\0')), 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391')
    assert.equal(sha1Hex(fromLatin1('tree 0\0')), '4b825dc642cb6eb9a060e54bf8d69288fbee4904')
    assert.equal(sha1Hex(fromLatin1('blob 6\0'), fromLatin1('hello\n')), 'ce013625030ba8dba906f756967f9e9ca394464a')
  })

  it('hashes parts as if they were joined, few bytes or many', () => {
    assert.equal(sha1Hex(), 'da39a3ee5e6b4b0d3255bfef95601890afd80709')
    const large = fc.constantFrom(0, 1, 4096, 5000).map((length) => new Uint8Array(length).fill(0x61))
    holds(
      fc.property(fc.array(anyBytes(), { maxLength: 4 }), large, (parts, last) => {
        assert.equal(sha1Hex(...parts, last), sha1Hex(concatBytes(...parts, last)))
        assert.equal(
          toHex(sha1(...parts, last)),
          createHash('sha1')
            .update(concatBytes(...parts, last))
            .digest('hex'),
        )
      }),
    )
  })

  it('refuses what is not bytes', () => {
    assert.throws(() => sha1Hex('abc' as unknown as Uint8Array), { name: 'TypeError', message: /^part: / })
  })
})

/** The definition of RFC 6962, section 2.1, word for word. */
function plainRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  const [only] = leafHashes
  if (only === undefined) return plainSha256()
  if (leafHashes.length === 1) return only
  let k = 1
  while (k * 2 < leafHashes.length) k *= 2
  return plainSha256(hex('01'), plainRoot(leafHashes.slice(0, k)), plainRoot(leafHashes.slice(k)))
}

const ctHashes = CT_LEAVES.map((leaf) => plainSha256(hex('00'), hex(leaf)))
const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => plainSha256(fromLatin1(`${i}`)))

describe('crypto: Merkle trees', () => {
  for (const [size, root] of CT_ROOTS.entries()) {
    it(`have the root of RFC 6962 over ${size} leaves`, () => {
      assert.equal(toHex(merkleRoot(ctHashes.slice(0, size))), root)
    })
  }

  it('hash a leaf as 00, the length of the key in 4 bytes, the key, the hash of the value', () => {
    const cases: [key: string, value: string, digest: string][] = [
      // printf '\0\0\0\0\0' | cat - <(printf '' | sha256sum | xxd -r -p) | sha256sum
      ['', '', '118df84e1b527c1af3b1f3a9d3b8e676600a25715de6d5c8eac8c45db6003c82'],
      // printf '\0\0\0\0\4Lkey' | cat - <(printf 'value' | sha256sum | xxd -r -p) | sha256sum
      ['Lkey', 'value', '4a25806560df9be51b034a22d4a55392dee8f062c3c3cfbba495d570a04e6af1'],
    ]
    for (const [key, value, digest] of cases) assert.equal(toHex(leafHash(fromLatin1(key), fromLatin1(value))), digest)
  })

  it('hash leaves and nodes alike from bytes and from digest strings, long keys too', () => {
    const keys = fc.oneof(
      anyBytes(80),
      fc.constantFrom(986, 987, 988, 5000, 70000).map((n) => new Uint8Array(n).fill(0xe9)),
    )
    holds(
      fc.property(keys, anyBytes(), (key, value) => {
        const length = new DataView(new ArrayBuffer(4))
        length.setUint32(0, key.length)
        const expected = plainSha256(hex('00'), new Uint8Array(length.buffer), key, plainSha256(value))
        assert.equal(toHex(leafHash(key, value)), toHex(expected))
        assert.equal(toHex(leafHashOf(key, plainSha256(value))), toHex(expected))
        assert.equal(leafDigest(toLatin1(key), nodeCrypto.sha256Binary(value)), toLatin1(expected))
        const node = plainSha256(hex('01'), expected, plainSha256(key))
        assert.equal(toHex(nodeHash(expected, plainSha256(key))), toHex(node))
        assert.equal(nodeDigest(toLatin1(expected), nodeCrypto.sha256Binary(key)), toLatin1(node))
      }),
    )
  })

  it('follow the definition for every size, leaf by leaf', () => {
    const all = leaves(130)
    const builder = new MerkleBuilder()
    for (let size = 0; size <= all.length; size++) {
      const expected = toHex(plainRoot(all.slice(0, size)))
      assert.equal(toHex(merkleRoot(all.slice(0, size))), expected)
      assert.equal(toHex(fromLatin1(merkleRootDigest(all.slice(0, size).map((leaf) => toLatin1(leaf))))), expected)
      assert.equal(toHex(fromLatin1(builder.root())), expected)
      assert.equal(toHex(fromLatin1(builder.root())), expected, 'asking changes nothing')
      assert.equal(builder.size, size)
      const next = all[size]
      if (next !== undefined) builder.push(toLatin1(next))
    }
  })

  it('differ when a leaf is moved, doubled, or is the root of others', () => {
    const [a, b, c, d] = leaves(4) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    const lists = [
      [],
      [a],
      [a, a],
      [a, b],
      [b, a],
      [a, b, b],
      [a, b, c],
      [a, b, c, d],
      [nodeHash(a, b), nodeHash(c, d)],
    ]
    const roots = lists.map((list) => toHex(merkleRoot(list)))
    // Over hashes alone the last list is a tree's own upper level; the 00 before every leaf keeps real entries from it.
    assert.equal(new Set(roots).size, lists.length - 1)
    assert.equal(roots.at(-1), roots.at(-2))
  })

  it('refuse what is no hash, naming it', () => {
    const [short, hash] = [new Uint8Array(31), new Uint8Array(32)]
    assert.throws(() => leafHashOf(short, short), { name: 'RangeError', message: /^valueHash: .* 32 bytes, got 31$/ })
    assert.throws(() => nodeHash(short, hash), { name: 'RangeError', message: /^left: / })
    assert.throws(() => nodeHash(hash, short), { name: 'RangeError', message: /^right: / })
    assert.throws(() => merkleRoot([hash, short]), { name: 'RangeError', message: /^leaf: / })
  })
})

describe('crypto: inclusion proofs', () => {
  for (const [index, size, path] of CT_PATHS) {
    it(`are those of Certificate Transparency: leaf ${index} of ${size}`, () => {
      const proof = inclusionProof(ctHashes.slice(0, size), index)
      assert.deepEqual(proof.map(toHex), path)
      assert.ok(verifyInclusion(ctHashes[index] as Uint8Array, index, size, proof, hex(CT_ROOTS[size] as string)))
    })
  }

  it('hold for every leaf of every size, and for nothing else', () => {
    for (let size = 1; size <= 20; size++) {
      const all = leaves(size)
      const root = plainRoot(all)
      for (const [index, leaf] of all.entries()) {
        const proof = inclusionProof(all, index)
        assert.ok(proof.length <= Math.ceil(Math.log2(size)))
        assert.ok(verifyInclusion(leaf, index, size, proof, root))
        for (const other of all.keys()) {
          if (other !== index)
            assert.ok(!verifyInclusion(leaf, other, size, proof, root), `${index} as ${other} of ${size}`)
        }
        assert.ok(!verifyInclusion(leaf, index, size, [...proof, root], root))
        if (proof.length > 0) assert.ok(!verifyInclusion(leaf, index, size, proof.slice(1), root))
      }
    }
  })

  it('need a size that can be trusted, for the root alone does not tell it', () => {
    const all = leaves(3)
    assert.ok(verifyInclusion(all[2] as Uint8Array, 1, 2, inclusionProof(all, 2), plainRoot(all)))
  })

  it('fail when any bit changes', () => {
    holds(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), fc.nat(), fc.nat(255), (size, at, which, bit) => {
        const all = leaves(size)
        const index = at % size
        const [leaf, root, proof] = [all[index] as Uint8Array, plainRoot(all), inclusionProof(all, index)]
        const broken = proof.map((hash, i) => (i === which % proof.length ? flip(hash, bit) : hash))
        assert.ok(verifyInclusion(leaf, index, size, proof, root))
        assert.ok(!verifyInclusion(leaf, index, size, broken, root))
        assert.ok(!verifyInclusion(flip(leaf, bit), index, size, proof, root))
        assert.ok(!verifyInclusion(leaf, index, size, proof, flip(root, bit)))
      }),
    )
  })

  it('are answered with false, never an exception, when they are nonsense', () => {
    const hash = new Uint8Array(32)
    const numbers = fc.oneof(fc.nat(10), fc.integer(), fc.double(), fc.maxSafeInteger())
    holds(
      fc.property(
        numbers,
        numbers,
        fc.array(fc.oneof(anyBytes(33), fc.constant(hash)), { maxLength: 60 }),
        (i, n, proof) => {
          assert.equal(verifyInclusion(hash, i, n, proof, plainSha256()), false)
        },
      ),
      500,
    )
  })

  it('name argument, wish and finding', () => {
    const hash = new Uint8Array(32)
    for (const index of [-1, 2, 0.5, Number.NaN]) {
      assert.throws(() => inclusionProof([hash, hash], index), {
        name: 'RangeError',
        message: /^index: .*\[0, 2\), got /,
      })
    }
    assert.throws(() => verifyInclusion(new Uint8Array(31), 0, 1, [], hash), {
      name: 'RangeError',
      message: /^leafHash: /,
    })
    assert.throws(() => verifyInclusion(hash, 0, 1, [], new Uint8Array(33)), { name: 'RangeError', message: /^root: / })
  })
})
