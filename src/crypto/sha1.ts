/**
 * SHA-1, for git's object ids only.
 *
 * SHA-1 is broken: collisions can be bought. weft computes it to recognise git's objects and never proves anything of
 * its own with it. Versions, leaves, groups, trees and file contents are SHA-256.
 * @module
 */
import { createHash, hash } from 'node:crypto'
import { assertBytes, concatBytes, fromHex } from '../base/bytes.js'

/** Up to this many bytes in all, joining the parts and hashing at once is faster than a hash object. */
const JOIN_MAX = 4096

/** The 20-byte SHA-1 digest of the parts, one after the other; a git object is its header, then its body. */
export function sha1(...parts: readonly Uint8Array[]): Uint8Array {
  return fromHex(sha1Hex(...parts)) as Uint8Array
}

/** The SHA-1 digest of the parts, one after the other, as 40 lower-case hex digits. */
export function sha1Hex(...parts: readonly Uint8Array[]): string {
  let length = 0
  for (const part of parts) {
    assertBytes(part, 'part')
    length += part.length
  }
  const [only] = parts
  if (only !== undefined && parts.length === 1) return hash('sha1', only, 'hex')
  if (length <= JOIN_MAX) return hash('sha1', concatBytes(...parts), 'hex')
  const whole = createHash('sha1')
  for (const part of parts) whole.update(part)
  return whole.digest('hex')
}
