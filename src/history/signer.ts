/**
 * A signer: the public half of an identity and the act of signing, without the secret in sight.
 * @module
 */

/** Who signs versions. */
export interface Signer {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  /** The 64-byte signature of a version's id. */
  sign(id: Uint8Array): Uint8Array
}
