/**
 * What weft needs of cryptography: SHA-256 and Ed25519, behind one interface with two implementations.
 *
 * - `node.ts` is node:crypto (OpenSSL): what weft runs on.
 * - `noble.ts` is @noble/hashes and @noble/ed25519: JavaScript only, for wherever node:crypto is not.
 *
 * Both give the same bytes, accept the same signatures and refuse the same arguments. `test/crypto.test.ts` holds them
 * to the published vectors and to each other. `default.ts` chooses.
 *
 * A *digest string* is a SHA-256 digest as a binary string of 32 chars. On Node it is the cheapest form there is:
 * 0.25 us for 65 bytes, where asking for a Buffer takes 1.1 us. Digest strings also compare and serve as map keys.
 * @module
 */

/** A SHA-256 digest as a binary string: 32 chars, each one byte. */
export type DigestString = string

/** Random bytes for keys: must come from a cryptographic generator. */
export type RandomBytes = (length: number) => Uint8Array

/** SHA-256 (FIPS 180-4) of bytes that come in pieces. */
export interface Sha256 {
  /** Adds bytes; they are read before the call returns. */
  update(bytes: Uint8Array): this
  /** The 32-byte digest. Ends the stream: a further `update` or `digest` throws. */
  digest(): Uint8Array
}

/**
 * Ed25519 (RFC 8032, section 5.1), with the one set of rules that `ed25519.ts` states.
 *
 * All methods throw `TypeError` for an argument that is not bytes and `RangeError` for one of the wrong length; the
 * asynchronous one rejects with them.
 */
export interface Ed25519 {
  /** A new secret key: the 32-byte seed of RFC 8032, not the 64-byte expanded form. */
  generateSeed(random: RandomBytes): Uint8Array
  /** The 32-byte public key of a 32-byte seed. */
  publicKey(seed: Uint8Array): Uint8Array
  /** The 64-byte signature of a message. The same seed and message always give the same signature. */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  /** Whether a 64-byte signature of `message` was made with the secret half of the 32-byte `publicKey`. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** The same answer, worked out off the main thread where the implementation can. */
  verifyAsync(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>
}

/** An implementation. Its functions need no `this`. */
export interface Crypto {
  readonly name: 'node' | 'noble'
  /** The 32-byte SHA-256 digest. */
  sha256(bytes: Uint8Array): Uint8Array
  /** The SHA-256 digest as 64 lower-case hex digits. */
  sha256Hex(bytes: Uint8Array): string
  /** The SHA-256 digest as a digest string, for hot paths. */
  sha256Binary(bytes: Uint8Array): DigestString
  /** Starts a SHA-256 of bytes that come in pieces. */
  createSha256(): Sha256
  /** Bytes from the operating system's generator. */
  randomBytes: RandomBytes
  readonly ed25519: Ed25519
}
