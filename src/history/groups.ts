/**
 * Groups: what a version added, subject by subject, and the root that its header signs.
 *
 * All entries that a version added under one subject (keys.ts) are a group. Its digest is the Merkle root over their
 * leaves in key order, `leaf = SHA-256(00 | length of key | key | SHA-256(value))`. The changes root is the Merkle root
 * over the groups in name order, each as the leaf of (name, digest).
 *
 * The version's groups entry lists them, ToyTLV, so that what a version touched is known without a search:
 *
 *     n  name of the group: kind and subject
 *     d  the first four bytes of its digest, tiny
 *
 * Four bytes, because the list proves nothing: digests are computed from the entries and the changes root is what is
 * signed. The list is for finding which group it is that does not fit, and whole digests would be a tenth of a repository.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { DigestString } from '../crypto/crypto.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { leafDigest, MerkleBuilder } from '../crypto/merkle.js'
import type { Entry } from '../lseq/batch.js'
import { TlvReader, TlvWriter } from '../rdx/tlv.js'

/** Bytes of a digest that the list keeps. */
export const DIGEST_PREFIX = 4

/** A group with its digest. */
export interface Group {
  /** Kind and subject, a binary string. */
  readonly name: string
  readonly digest: DigestString
}

/** A group as the list names it. */
export interface ListedGroup {
  readonly name: string
  /** The first bytes of the digest, a binary string. */
  readonly prefix: string
}

/** The group of entries of one subject, in key order. */
export function groupOf(name: string, entries: readonly Entry[]): Group {
  const builder = new MerkleBuilder()
  for (const { key, value } of entries) builder.push(leafDigest(toLatin1(key), crypto.sha256Binary(value)))
  return { name, digest: builder.root() }
}

/** Puts groups in the order in which they are hashed and listed. */
export function sortGroups(groups: Group[]): Group[] {
  return groups.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The changes root over groups in name order. */
export function changesRoot(groups: readonly Group[]): DigestString {
  const builder = new MerkleBuilder()
  for (const { name, digest } of groups) builder.push(leafDigest(name, digest))
  return builder.root()
}

/** The value of a groups entry. A version that adds nothing has none. */
export function encodeGroups(groups: readonly Group[]): Uint8Array {
  const out = new TlvWriter(groups.length * 24)
  for (const { name, digest } of groups) {
    out.latin1('N', name).tiny('D', fromLatin1(digest.slice(0, DIGEST_PREFIX)))
  }
  return out.copy()
}

/** @throws {CodedError} `BAD_RECORD` for bytes that `encodeGroups` does not write. */
export function decodeGroups(value: Uint8Array): ListedGroup[] {
  const reader = new TlvReader(value)
  const groups: ListedGroup[] = []
  while (!reader.atEnd) {
    const name = toLatin1(reader.expect('N'))
    const prefix = toLatin1(reader.tiny('D'))
    const last = groups.at(-1)
    if (prefix.length !== DIGEST_PREFIX || (last !== undefined && last.name >= name)) {
      throw new CodedError('BAD_RECORD', 'A groups entry is malformed.')
    }
    groups.push({ name, prefix })
  }
  if (groups.length === 0) throw new CodedError('BAD_RECORD', 'A groups entry lists nothing.')
  return groups
}
