/**
 * The id git gives an object: SHA-1, or in a SHA-256 repository SHA-256, over `type size NUL content`.
 * @module
 */
import { concatBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { sha1 } from '../crypto/sha1.js'

/**
 * @param hashLength - 20 or 32: bytes of an id in that repository.
 * @returns The id, a binary string.
 */
export function gitObjectId(type: 'blob' | 'tree' | 'commit' | 'tag', content: Uint8Array, hashLength: number): string {
  const bytes = concatBytes(fromLatin1(`${type} ${content.length}\0`), content)
  return hashLength === 20 ? toLatin1(sha1(bytes)) : crypto.sha256Binary(bytes)
}
