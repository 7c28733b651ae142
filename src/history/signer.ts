/**
 * A signer: the public half of an identity and the act of signing, without the secret in sight.
 * @module
 */

import { defaultCrypto as crypto } from '../crypto/default.js'

/** Who signs versions. */
export interface Signer {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  /** The 64-byte signature of a version's id. */
  sign(id: Uint8Array): Uint8Array
}

/** The first 16 hex digits of SHA-256(public key): what people compare. */
export function fingerprint(publicKey: Uint8Array): string {
  return crypto.sha256Hex(publicKey).slice(0, 16)
}
