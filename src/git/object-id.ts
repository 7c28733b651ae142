/**
 * The id git gives an object: SHA-1, or in a SHA-256 repository SHA-256, over `type size NUL content`.
 * @module
 */
import { concatBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { sha1 } from '../crypto/sha1.js'

/**
 * @param type - `blob`, `tree`, `commit` or `tag`.
 * @param hashLength - 20 or 32: bytes of an id in that repository.
 * @returns The id, a binary string.
 */
export function gitObjectId(type: string, content: Uint8Array, hashLength: number): string {
  const header = fromLatin1(`${type} ${content.length}\0`)
  return hashLength === 20 ? toLatin1(sha1(header, content)) : crypto.sha256Binary(concatBytes(header, content))
}
