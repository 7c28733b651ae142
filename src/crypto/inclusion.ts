/**
 * Inclusion proofs: that one leaf stands at one place under a Merkle root, shown with a handful of hashes.
 *
 * A proof is the audit path of RFC 6962, section 2.1.1: the hashes of the sibling subtrees on the way from the leaf up
 * to the root, lowest first; at most ceil(log2(size)) of them. The tree is that of `merkle.ts`.
 * @module
 */
import { assertBytes, equalBytes } from '../base/bytes.js'
import { merkleRoot, nodeHash } from './merkle.js'

const HASH = 32

/**
 * Proof that `leafHashes[index]` is in the tree over `leafHashes`.
 *
 * @throws {RangeError} When there is no such leaf.
 */
export function inclusionProof(leafHashes: readonly Uint8Array[], index: number): Uint8Array[] {
  const size = leafHashes.length
  if (!Number.isInteger(index) || index < 0 || index >= size) {
    throw new RangeError(`index: expected an integer in [0, ${size}), got ${index}`)
  }
  // Downwards: [start, end) is the subtree that holds the leaf; the half without it adds its root to the proof.
  const path: Uint8Array[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + leftSize(end - start)
    if (index < middle) {
      path.push(merkleRoot(leafHashes.slice(middle, end)))
      end = middle
    } else {
      path.push(merkleRoot(leafHashes.slice(start, middle)))
      start = middle
    }
  }
  return path.reverse()
}

/**
 * Whether `proof` shows that `leafHash` is the leaf at `index` of `size` under `root`.
 *
 * A proof from elsewhere may be anything, so whatever is wrong with it or with the numbers is answered by `false`.
 * The root alone does not tell `size`. Take both from the same trusted place: with a size made up to fit, the last
 * leaf of three also passes for the second of two.
 *
 * @throws {TypeError | RangeError} When `leafHash` or `root` is not 32 bytes: these are the caller's own.
 * @see RFC 9162, section 2.1.3.2, which answers the same in another way: with the bits of index and size.
 */
export function verifyInclusion(
  leafHash: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  assertBytes(leafHash, 'leafHash', HASH)
  assertBytes(root, 'root', HASH)
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false
  // Downwards: on which side the leaf's subtree hangs at each level, root first.
  const isLeft: boolean[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + leftSize(end - start)
    isLeft.push(index < middle)
    if (index < middle) end = middle
    else start = middle
  }
  if (proof.length !== isLeft.length || proof.some((sibling) => sibling.length !== HASH)) return false
  // Upwards again, joining with one sibling after the other.
  let hash = leafHash
  for (const sibling of proof) hash = isLeft.pop() ? nodeHash(hash, sibling) : nodeHash(sibling, hash)
  return equalBytes(hash, root)
}

/** Leaves in the left half of a tree of `size` leaves, 2 or more: the greatest power of two under `size`. */
function leftSize(size: number): number {
  let half = 1
  while (2 * half < size) half *= 2
  return half
}
