/**
 * Merkle trees in the shape of RFC 6962, section 2.1, over leaves that are weft's entries.
 *
 *     leaf   SHA-256( 00 | length of key (4, big-endian) | key | SHA-256(value) )
 *     node   SHA-256( 01 | left (32) | right (32) )
 *     root   of no leaves: SHA-256 of nothing; of one: that leaf's hash;
 *            of n: node(root of the first k, root of the rest), k the greatest power of two under n
 *
 * The first byte keeps leaves and nodes apart, so no node can be passed off as a leaf. The key's length keeps key and
 * value hash apart. The leaf holds the value's hash and not the value, so that a value can be taken away and every
 * root above it still be proved. Inclusion proofs are in `inclusion.ts`.
 *
 * The functions on digest strings are the hot ones; verify hashes hundreds of thousands of leaves. They write into
 * buffers kept for the purpose and leave no garbage but the digests. Measured on Node 20: leaf 0.40 us, node 0.37 us
 * (0.26 us of either is SHA-256), a root over 300,000 leaf hashes 137 ms. On bytes: leaf 0.89 us, node 0.70 us.
 * @module
 */
import { fromLatin1, toLatin1, writeLatin1 } from '../base/bytes.js'
import type { DigestString } from './crypto.js'
import { defaultCrypto } from './default.js'

const { sha256Binary } = defaultCrypto

/** Bytes of a hash. */
const HASH = 32
/** Bytes of a leaf's input before its key. */
const LEAF_HEAD = 5

/** Input of a node: 01, left, right. */
const nodeInput = new Uint8Array(1 + 2 * HASH)
nodeInput[0] = 0x01

/** Input of a leaf, for all but very long keys. Its first byte stays 00. */
const leafInput = new Uint8Array(1024)
/** The first n bytes of `leafInput` by n: making a view takes as long as a quarter of the hash. */
const leafInputs: Uint8Array[] = []

function assertHash(hash: DigestString, name: string): void {
  if (hash.length !== HASH) throw new RangeError(`${name}: expected a hash of ${HASH} bytes, got ${hash.length}`)
}

/**
 * Leaf hash of an entry, given the hash of its value.
 *
 * @param key - The full key, a binary string.
 * @param valueHash - SHA-256 of the value.
 * @throws {RangeError} When `valueHash` is not 32 bytes long.
 */
export function leafDigest(key: string, valueHash: DigestString): DigestString {
  assertHash(valueHash, 'valueHash')
  const length = LEAF_HEAD + key.length + HASH
  const input = length <= leafInput.length ? shortLeafInput(length) : new Uint8Array(length)
  input[1] = key.length >>> 24
  input[2] = key.length >>> 16
  input[3] = key.length >>> 8
  input[4] = key.length
  writeLatin1(input, key, LEAF_HEAD)
  writeLatin1(input, valueHash, LEAF_HEAD + key.length)
  return sha256Binary(input)
}

function shortLeafInput(length: number): Uint8Array {
  let input = leafInputs[length]
  if (input === undefined) {
    input = leafInput.subarray(0, length)
    leafInputs[length] = input
  }
  return input
}

/**
 * Hash of a node, given those of its halves.
 *
 * @throws {RangeError} When either is not 32 bytes long.
 */
export function nodeDigest(left: DigestString, right: DigestString): DigestString {
  assertHash(left, 'left')
  assertHash(right, 'right')
  writeLatin1(nodeInput, left, 1)
  writeLatin1(nodeInput, right, 1 + HASH)
  return sha256Binary(nodeInput)
}

/** Root over leaf hashes, in their order. */
export function merkleRootDigest(leaves: readonly DigestString[]): DigestString {
  const builder = new MerkleBuilder()
  for (const leaf of leaves) builder.push(leaf)
  return builder.root()
}

/**
 * Builds a root leaf by leaf, in memory that grows with the logarithm of their number.
 *
 * Keeps one hash for each full subtree, largest first: their sizes are the powers of two in `size`, so with 13 leaves
 * (binary 1101) it keeps the roots of 8, 4 and 1 leaves. A push is the carry of a binary increment.
 */
export class MerkleBuilder {
  readonly #full: DigestString[] = []
  #size = 0

  /** Leaves pushed so far. */
  get size(): number {
    return this.#size
  }

  /**
   * Adds the next leaf hash.
   *
   * @throws {RangeError} When it is not 32 bytes long.
   */
  push(leaf: DigestString): this {
    assertHash(leaf, 'leaf')
    let digest = leaf
    for (let carry = this.#size; carry % 2 === 1; carry = (carry - 1) / 2) {
      digest = nodeDigest(this.#full.pop() as DigestString, digest)
    }
    this.#full.push(digest)
    this.#size++
    return this
  }

  /** Root over all leaves pushed so far. More may follow. */
  root(): DigestString {
    const full = this.#full
    let root = full.at(-1) ?? sha256Binary(new Uint8Array(0))
    for (let i = full.length - 2; i >= 0; i--) root = nodeDigest(full[i] as DigestString, root)
    return root
  }
}

/** `leafDigest` on bytes, given the value itself. */
export function leafHash(key: Uint8Array, value: Uint8Array): Uint8Array {
  return fromLatin1(leafDigest(toLatin1(key), sha256Binary(value)))
}

/** `leafDigest` on bytes. */
export function leafHashOf(key: Uint8Array, valueHash: Uint8Array): Uint8Array {
  return fromLatin1(leafDigest(toLatin1(key), toLatin1(valueHash)))
}

/** `nodeDigest` on bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return fromLatin1(nodeDigest(toLatin1(left), toLatin1(right)))
}

/** `merkleRootDigest` on bytes. */
export function merkleRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  return fromLatin1(merkleRootDigest(leafHashes.map((hash) => toLatin1(hash))))
}
